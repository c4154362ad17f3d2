// An HTTP API made by quick create, and one made of an OpenAPI document.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { CfnApi, CfnStage } = require('aws-cdk-lib/aws-apigatewayv2');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const hello = new lambda.Function(stack, 'Hello', node());
new CfnApi(stack, 'Quick', { name: 'quick', protocolType: 'HTTP', target: hello.functionArn, routeKey: 'GET /quick' });
const document = new CfnApi(stack, 'Document', {
  corsConfiguration: { allowOrigins: ['*'] },
  body: {
    openapi: '3.0.1',
    info: { title: 'shop', version: '1' },
    paths: { '/hello': { get: { 'x-amazon-apigateway-integration': { type: 'AWS_PROXY', httpMethod: 'POST', uri: hello.functionArn, payloadFormatVersion: '2.0' } } } },
  },
});
new CfnStage(stack, 'Stage', { apiId: document.ref, stageName: '$default', autoDeploy: true });
app.synth();
