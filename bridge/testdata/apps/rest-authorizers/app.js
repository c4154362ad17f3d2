// The authorizers of a REST API: a token's, a request's, Cognito's and IAM's.
// SAM CLI #137, #3296.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const api = require('aws-cdk-lib/aws-apigateway');
const { UserPool } = require('aws-cdk-lib/aws-cognito');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const hello = new api.LambdaIntegration(new lambda.Function(stack, 'Hello', node()));
const check = new lambda.Function(stack, 'Check', node());
const rest = new api.RestApi(stack, 'Api');
const add = (path, more) => rest.root.addResource(path).addMethod('GET', hello, more);
add('open');
add('token', { authorizer: new api.TokenAuthorizer(stack, 'Token', { handler: check }) });
add('request', { authorizer: new api.RequestAuthorizer(stack, 'Request', { handler: check, identitySources: [api.IdentitySource.header('x-key'), api.IdentitySource.queryString('key')] }) });
add('cognito', { authorizer: new api.CognitoUserPoolsAuthorizer(stack, 'Cognito', { cognitoUserPools: [new UserPool(stack, 'Users')] }) });
add('iam', { authorizationType: api.AuthorizationType.IAM });
app.synth();
