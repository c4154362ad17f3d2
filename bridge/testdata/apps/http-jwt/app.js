// JWT and IAM authorizers of an HTTP API, which the SAM CLI leaves open. SAM CLI
// #5209, #6550.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { HttpApi } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { HttpJwtAuthorizer, HttpUserPoolAuthorizer, HttpIamAuthorizer } = require('aws-cdk-lib/aws-apigatewayv2-authorizers');
const { UserPool } = require('aws-cdk-lib/aws-cognito');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const integration = new HttpLambdaIntegration('Hello', new lambda.Function(stack, 'Hello', node()));
const api = new HttpApi(stack, 'Api');
const add = (path, authorizer) => api.addRoutes({ path, methods: ['GET'], integration, authorizer });
add('/open');
add('/jwt', new HttpJwtAuthorizer('Jwt', 'https://issuer.example', { jwtAudience: ['shop'] }));
add('/pool', new HttpUserPoolAuthorizer('Pool', new UserPool(stack, 'Users')));
add('/iam', new HttpIamAuthorizer());
app.synth();
