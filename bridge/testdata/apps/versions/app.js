// An API whose integrations name a version and an alias, not the function.
// SAM CLI #5916.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { HttpApi } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const hello = new lambda.Function(stack, 'Hello', node());
const live = new lambda.Alias(stack, 'Live', { aliasName: 'live', version: hello.currentVersion });
const api = new HttpApi(stack, 'Api');
api.addRoutes({ path: '/version', methods: ['GET'], integration: new HttpLambdaIntegration('Version', hello.currentVersion) });
api.addRoutes({ path: '/alias', methods: ['GET'], integration: new HttpLambdaIntegration('Alias', live) });
new lambda.Function(stack, 'Caller', node({ environment: { VERSION: hello.currentVersion.functionArn, ALIAS: live.functionArn, ALIAS_NAME: live.functionName } }));
app.synth();
