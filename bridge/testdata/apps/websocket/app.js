// A WebSocket API beside an HTTP API: the SAM CLI serves neither. SAM CLI
// #2610, #896, #7975.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { HttpApi, WebSocketApi, WebSocketStage } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration, WebSocketLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const hello = new lambda.Function(stack, 'Hello', node());
const talk = new lambda.Function(stack, 'Talk', node());
new HttpApi(stack, 'Api').addRoutes({ path: '/hello', methods: ['GET'], integration: new HttpLambdaIntegration('Hello', hello) });
const socket = new WebSocketApi(stack, 'Socket', { connectRouteOptions: { integration: new WebSocketLambdaIntegration('Connect', talk) } });
socket.addRoute('say', { integration: new WebSocketLambdaIntegration('Say', talk) });
new WebSocketStage(stack, 'Live', { webSocketApi: socket, stageName: 'live', autoDeploy: true });
app.synth();
