// One path and function with an open and a protected method: the SAM CLI takes
// one authorizer for both. SAM CLI #9165, #6628.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const api = require('aws-cdk-lib/aws-apigateway');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const hello = new api.LambdaIntegration(new lambda.Function(stack, 'Hello', node()));
const authorizer = new api.TokenAuthorizer(stack, 'Token', { handler: new lambda.Function(stack, 'Check', node()) });
const orders = new api.RestApi(stack, 'Api').root.addResource('orders');
orders.addMethod('POST', hello, { authorizer });
orders.addMethod('GET', hello);
app.synth();
