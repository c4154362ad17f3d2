// The $default route beside others, two payload versions on one path, and a
// stage of another name.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { HttpApi, PayloadFormatVersion } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const hello = new lambda.Function(stack, 'Hello', node());
const rest = new lambda.Function(stack, 'Rest', node());
const api = new HttpApi(stack, 'Api', { createDefaultStage: false, defaultIntegration: new HttpLambdaIntegration('Rest', rest) });
api.addStage('Live', { stageName: 'live', autoDeploy: true });
api.addRoutes({ path: '/hello', methods: ['GET'], integration: new HttpLambdaIntegration('New', hello) });
api.addRoutes({ path: '/hello', methods: ['POST'], integration: new HttpLambdaIntegration('Old', hello, { payloadFormatVersion: PayloadFormatVersion.VERSION_1_0 }) });
app.synth();
