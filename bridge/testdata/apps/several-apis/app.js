// Two HTTP APIs, routes that the SAM CLI stumbles over, and kinds of API that
// are not served. SAM CLI #3294, #5209.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { HttpApi, WebSocketApi, HttpNoneAuthorizer } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration, HttpUrlIntegration, WebSocketLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { HttpJwtAuthorizer } = require('aws-cdk-lib/aws-apigatewayv2-authorizers');
const { LambdaRestApi } = require('aws-cdk-lib/aws-apigateway');

const app = new App();
const stack = new Stack(app, 'Shop');
const make = (id) => new lambda.Function(stack, id, { runtime: lambda.Runtime.NODEJS_20_X, handler: 'index.handler', code: lambda.Code.fromAsset('../functions/node') });
const read = make('Read');
const write = make('Write');
const open = new HttpApi(stack, 'Open', { defaultIntegration: new HttpLambdaIntegration('Fallback', read) });
open.addRoutes({ path: '/orders/{order-id}', methods: ['GET'], integration: new HttpLambdaIntegration('Read', read) });
open.addRoutes({ path: '/orders/{order-id}', methods: ['PUT'], integration: new HttpLambdaIntegration('Write', write.currentVersion ?? write) });
open.addRoutes({ path: '/away', methods: ['GET'], integration: new HttpUrlIntegration('Away', 'https://shop.example') });
const closed = new HttpApi(stack, 'Closed', { defaultAuthorizer: new HttpJwtAuthorizer('Jwt', 'https://issuer.example', { jwtAudience: ['shop'] }) });
closed.addRoutes({ path: '/secret', integration: new HttpLambdaIntegration('Secret', write) });
closed.addRoutes({ path: '/secret', methods: ['GET'], integration: new HttpLambdaIntegration('SecretRead', read), authorizer: new HttpNoneAuthorizer() });
new LambdaRestApi(stack, 'Rest', { handler: read });
new WebSocketApi(stack, 'Socket').addRoute('hello', { integration: new WebSocketLambdaIntegration('Hello', read) });
app.synth();
