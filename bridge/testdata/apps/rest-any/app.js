// ANY beside a method of its own on one path: the SAM CLI takes the later one
// for both.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { RestApi, LambdaIntegration } = require('aws-cdk-lib/aws-apigateway');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const read = new lambda.Function(stack, 'Read', node());
const rest = new lambda.Function(stack, 'Rest', node());
const orders = new RestApi(stack, 'Api').root.addResource('orders');
orders.addMethod('GET', new LambdaIntegration(read));
orders.addMethod('ANY', new LambdaIntegration(rest));
app.synth();
