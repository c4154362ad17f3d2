// APIs of every kind made of CloudFormation's own resources, without the CDK's
// constructs for them: an HTTP, a REST and a WebSocket API, and a function URL
// that streams. SAM CLI #2610, #4299.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const v1 = require('aws-cdk-lib/aws-apigateway');
const v2 = require('aws-cdk-lib/aws-apigatewayv2');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const hello = new lambda.Function(stack, 'Hello', node());
const guard = new lambda.Function(stack, 'Guard', node());
const uri = (f, version = '2015-03-31', end = 'invocations') => `arn:${stack.partition}:apigateway:${stack.region}:lambda:path/${version}/functions/${f.functionArn}/${end}`;

const http = new v2.CfnApi(stack, 'Http', { name: 'http', protocolType: 'HTTP', corsConfiguration: { allowOrigins: ['https://shop.example'], allowMethods: ['GET'], exposeHeaders: ['x-page'], maxAge: 60 } });
const target = (api, id, more) => `integrations/${new v2.CfnIntegration(stack, id, { apiId: api.ref, integrationType: 'AWS_PROXY', integrationUri: uri(hello), ...more }).ref}`;
const login = new v2.CfnAuthorizer(stack, 'Login', { apiId: http.ref, name: 'login', authorizerType: 'JWT', identitySource: ['$request.header.Authorization'], jwtConfiguration: { issuer: 'https://login.example', audience: ['shop'] } });
const simple = new v2.CfnAuthorizer(stack, 'Simple', { apiId: http.ref, name: 'simple', authorizerType: 'REQUEST', authorizerUri: uri(guard), authorizerPayloadFormatVersion: '2.0', enableSimpleResponses: true, authorizerResultTtlInSeconds: 60, identitySource: ['$request.header.X-Key'] });
new v2.CfnRoute(stack, 'HttpOrders', { apiId: http.ref, routeKey: 'GET /orders/{id}', target: target(http, 'HttpFunction', { payloadFormatVersion: '2.0', timeoutInMillis: 5000 }), authorizationType: 'JWT', authorizerId: login.ref, authorizationScopes: ['orders'] });
new v2.CfnRoute(stack, 'HttpSimple', { apiId: http.ref, routeKey: 'ANY /simple', target: target(http, 'HttpOld', { payloadFormatVersion: '1.0' }), authorizationType: 'CUSTOM', authorizerId: simple.ref });
new v2.CfnRoute(stack, 'HttpGone', { apiId: http.ref, routeKey: 'GET /gone', target: target(http, 'HttpElsewhere', { integrationUri: 'arn:aws:lambda:us-east-1:123456789012:function:elsewhere', payloadFormatVersion: '2.0' }) });
new v2.CfnStage(stack, 'HttpStage', { apiId: http.ref, stageName: 'live', autoDeploy: true, stageVariables: { mode: 'fast' } });

const rest = new v1.CfnRestApi(stack, 'Rest', { name: 'rest', binaryMediaTypes: ['image/png'] });
const shop = new v1.CfnResource(stack, 'RestShop', { restApiId: rest.ref, parentId: rest.attrRootResourceId, pathPart: 'shop' });
const item = new v1.CfnResource(stack, 'RestItem', { restApiId: rest.ref, parentId: shop.ref, pathPart: '{proxy+}' });
const token = new v1.CfnAuthorizer(stack, 'Token', { restApiId: rest.ref, name: 'token', type: 'TOKEN', authorizerUri: uri(guard), identitySource: 'method.request.header.X-Token', identityValidationExpression: '^Bearer .+' });
const methods = [
  new v1.CfnMethod(stack, 'RestAny', { restApiId: rest.ref, resourceId: item.ref, httpMethod: 'ANY', authorizationType: 'CUSTOM', authorizerId: token.ref, integration: { type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri: uri(hello), timeoutInMillis: 5000 } }),
  new v1.CfnMethod(stack, 'RestGet', { restApiId: rest.ref, resourceId: shop.ref, httpMethod: 'GET', authorizationType: 'NONE', apiKeyRequired: true, integration: { type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri: uri(hello, '2021-11-15', 'response-streaming-invocations') } }),
];
methods[1].addPropertyOverride('Integration.ResponseTransferMode', 'STREAM');
const deployment = new v1.CfnDeployment(stack, 'RestDeployment', { restApiId: rest.ref });
methods.forEach((method) => deployment.addDependency(method));
new v1.CfnStage(stack, 'RestStage', { restApiId: rest.ref, deploymentId: deployment.ref, stageName: 'live', variables: { mode: 'fast' } });

const socket = new v2.CfnApi(stack, 'Socket', { name: 'socket', protocolType: 'WEBSOCKET', routeSelectionExpression: '$request.body.kind' });
const who = new v2.CfnAuthorizer(stack, 'Who', { apiId: socket.ref, name: 'who', authorizerType: 'REQUEST', authorizerUri: uri(guard), identitySource: ['route.request.querystring.token'] });
new v2.CfnRoute(stack, 'SocketConnect', { apiId: socket.ref, routeKey: '$connect', target: target(socket, 'SocketConnects'), authorizationType: 'CUSTOM', authorizerId: who.ref });
const say = new v2.CfnRoute(stack, 'SocketSay', { apiId: socket.ref, routeKey: 'say', target: target(socket, 'SocketSays'), routeResponseSelectionExpression: '$default' });
new v2.CfnRouteResponse(stack, 'SocketAnswer', { apiId: socket.ref, routeId: say.ref, routeResponseKey: '$default' });
new v2.CfnStage(stack, 'SocketStage', { apiId: socket.ref, stageName: 'live', autoDeploy: true });

new lambda.CfnUrl(stack, 'Url', { authType: 'NONE', targetFunctionArn: hello.functionArn, invokeMode: 'RESPONSE_STREAM', cors: { allowOrigins: ['*'] } });
app.synth();
