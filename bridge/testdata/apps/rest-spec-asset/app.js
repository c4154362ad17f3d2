// A REST API whose OpenAPI document is an asset, over a function of a known
// name.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { SpecRestApi, ApiDefinition } = require('aws-cdk-lib/aws-apigateway');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
new lambda.Function(stack, 'Hello', node({ functionName: 'shop-hello' }));
new SpecRestApi(stack, 'Api', { apiDefinition: ApiDefinition.fromAsset('api.json') });
app.synth();
