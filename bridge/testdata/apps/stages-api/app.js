// Two stages of two stacks each: the API of one stack goes to the function of
// the other. SAM CLI #3627, #3521, #4555.
const { App, Stack, Stage } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { HttpApi } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { node } = require('../settings');

const app = new App();
for (const name of ['Beta', 'Live']) {
  const stage = new Stage(app, name);
  const hello = new lambda.Function(new Stack(stage, 'Logic'), 'Hello', node());
  const api = new HttpApi(new Stack(stage, 'Edge'), 'Api');
  api.addRoutes({ path: '/hello', methods: ['GET'], integration: new HttpLambdaIntegration('Hello', hello) });
}
app.synth();
