// A REST API of one stack, to which another adds resources. SAM CLI #3627,
// #4555.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { RestApi, MockIntegration, LambdaIntegration, Deployment, Stage } = require('aws-cdk-lib/aws-apigateway');
const { node } = require('../settings');

const app = new App();
const edge = new Stack(app, 'Edge');
const made = new RestApi(edge, 'Api', { deploy: false });
made.root.addMethod('GET', new MockIntegration());
const stack = new Stack(app, 'Shop');
const hello = new lambda.Function(stack, 'Hello', node());
const api = RestApi.fromRestApiAttributes(stack, 'Imported', { restApiId: made.restApiId, rootResourceId: made.restApiRootResourceId });
const method = api.root.addResource('hello').addMethod('GET', new LambdaIntegration(hello));
const deployment = new Deployment(stack, 'Deployment', { api });
deployment.node.addDependency(method);
new Stage(stack, 'Live', { deployment, stageName: 'live' });
app.synth();
