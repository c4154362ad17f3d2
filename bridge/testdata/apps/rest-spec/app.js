// A REST API made of an OpenAPI document that stands in the template. SAM CLI
// #6045.
const { App, Stack, Fn } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { SpecRestApi, ApiDefinition } = require('aws-cdk-lib/aws-apigateway');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const hello = new lambda.Function(stack, 'Hello', node());
const uri = `arn:aws:apigateway:${stack.region}:lambda:path/2015-03-31/functions/${hello.functionArn}/invocations`;
const integration = { type: 'aws_proxy', httpMethod: 'POST', uri };
new SpecRestApi(stack, 'Api', {
  apiDefinition: ApiDefinition.fromInline({
    openapi: '3.0.1',
    info: { title: 'shop', version: '1' },
    paths: {
      '/hello/{name}': { get: { parameters: [{ name: 'name', in: 'path', required: true, schema: { type: 'string' } }], 'x-amazon-apigateway-integration': integration } },
      '/any': { 'x-amazon-apigateway-any-method': { 'x-amazon-apigateway-integration': integration } },
    },
  }),
});
app.synth();
