// The app of http-api, made by another version of aws-cdk-lib.
module.exports = (version) => {
  const { App, Stack } = require(version);
  const lambda = require(`${version}/aws-lambda`);
  const { HttpApi } = require(`${version}/aws-apigatewayv2`);
  const { HttpLambdaIntegration } = require(`${version}/aws-apigatewayv2-integrations`);

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
};
