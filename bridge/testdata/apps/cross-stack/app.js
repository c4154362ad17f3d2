// A table in one stack, its function in a second, and two functions with the
// same construct id: names, exports and imports across stacks. SAM CLI #3627,
// #3521, #4555, #2227.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Table } = require('aws-cdk-lib/aws-dynamodb');
const { HttpApi } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');

const settings = () => ({ runtime: lambda.Runtime.NODEJS_20_X, handler: 'index.handler', code: lambda.Code.fromAsset('../functions/node') });

const app = new App();
const data = new Stack(app, 'Data');
const orders = new Table(data, 'Orders', { partitionKey: { name: 'id', type: 'S' } });
new lambda.Function(data, 'Worker', settings());
const logic = new Stack(app, 'Logic');
const worker = new lambda.Function(logic, 'Worker', { ...settings(), environment: { TABLE: orders.tableName } });
new lambda.Function(logic, 'Other', { ...settings(), functionName: 'the-other' });
const edge = new Stack(app, 'Edge');
new HttpApi(edge, 'Api').addRoutes({ path: '/work', methods: ['POST'], integration: new HttpLambdaIntegration('Work', worker) });
app.synth();
