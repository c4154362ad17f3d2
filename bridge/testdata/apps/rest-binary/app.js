// Binary media types, which the SAM CLI reads only of an API with a Body.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { RestApi, LambdaIntegration } = require('aws-cdk-lib/aws-apigateway');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const api = new RestApi(stack, 'Api', { binaryMediaTypes: ['image/png', 'application/octet-stream'], minCompressionSize: undefined });
api.root.addResource('pictures').addMethod('PUT', new LambdaIntegration(new lambda.Function(stack, 'Hello', node())));
app.synth();
