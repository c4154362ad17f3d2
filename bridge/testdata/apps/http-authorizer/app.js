// A Lambda authorizer of an HTTP API, with and without an identity source.
// SAM CLI #137.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { HttpApi } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { HttpLambdaAuthorizer, HttpLambdaResponseType } = require('aws-cdk-lib/aws-apigatewayv2-authorizers');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const integration = new HttpLambdaIntegration('Hello', new lambda.Function(stack, 'Hello', node()));
const check = new lambda.Function(stack, 'Check', node());
const api = new HttpApi(stack, 'Api');
const add = (path, authorizer) => api.addRoutes({ path, methods: ['GET'], integration, authorizer });
add('/open');
add('/simple', new HttpLambdaAuthorizer('Simple', check, { responseTypes: [HttpLambdaResponseType.SIMPLE] }));
add('/no-source', new HttpLambdaAuthorizer('NoSource', check, { identitySource: [] }));
app.synth();
