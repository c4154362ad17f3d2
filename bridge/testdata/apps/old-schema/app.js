// The app of http-api, synthesised by an aws-cdk-lib of early 2024 (schema 36).
const { App, Stack } = require('aws-cdk-lib-2.130');
const lambda = require('aws-cdk-lib-2.130/aws-lambda');
const { HttpApi } = require('aws-cdk-lib-2.130/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib-2.130/aws-apigatewayv2-integrations');

const app = new App();
const stack = new Stack(app, 'Shop');
const hello = new lambda.Function(stack, 'Hello', {
  runtime: lambda.Runtime.NODEJS_20_X,
  handler: 'index.handler',
  code: lambda.Code.fromAsset('../functions/node'),
});
const api = new HttpApi(stack, 'Api', { corsPreflight: { allowOrigins: ['https://shop.example'], allowHeaders: ['content-type'] } });
api.addRoutes({ path: '/hello/{name}', methods: ['GET', 'POST'], integration: new HttpLambdaIntegration('Hello', hello) });
api.addRoutes({ path: '/{proxy+}', integration: new HttpLambdaIntegration('Rest', hello) });
app.synth();
