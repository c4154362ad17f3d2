// CORS preflight that the CDK makes for every resource of a REST API, for one
// origin and for several. SAM CLI #2287, #3864, #400.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { RestApi, LambdaIntegration } = require('aws-cdk-lib/aws-apigateway');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const hello = new LambdaIntegration(new lambda.Function(stack, 'Hello', node()));
const api = new RestApi(stack, 'Api', { defaultCorsPreflightOptions: { allowOrigins: ['https://shop.example'], allowHeaders: ['content-type'], allowCredentials: true } });
api.root.addResource('hello').addMethod('GET', hello);
const many = api.root.addResource('many', { defaultCorsPreflightOptions: { allowOrigins: ['https://a.example', 'https://b.example'], allowMethods: ['GET'] } });
many.addMethod('GET', hello);
app.synth();
