// Path parameters with a hyphen or a dot, on which sam local start-api ends.
// SAM CLI #2423, #3516.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { HttpApi } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const integration = new HttpLambdaIntegration('Hello', new lambda.Function(stack, 'Hello', node()));
const api = new HttpApi(stack, 'Api');
for (const path of ['/users/{user-id}', '/files/{file.name+}', '/plain/{id}']) api.addRoutes({ path, methods: ['GET'], integration });
app.synth();
