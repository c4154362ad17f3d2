// Two APIs with a path in common: the SAM CLI serves both on one port, and the
// later one wins. SAM CLI #3294, #5164.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { HttpApi } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
for (const id of ['Public', 'Admin']) {
  const list = new lambda.Function(stack, `${id}List`, node());
  const api = new HttpApi(stack, id, { corsPreflight: { allowOrigins: [`https://${id.toLowerCase()}.example`] } });
  api.addRoutes({ path: '/orders', methods: ['GET'], integration: new HttpLambdaIntegration('List', list) });
}
app.synth();
