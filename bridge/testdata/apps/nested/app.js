// Nested stacks: parameters go down, outputs come up and go to a sibling.
// A layer is passed to a nested stack. SAM CLI #2853, #4457.
const { App, Stack, NestedStack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Table } = require('aws-cdk-lib/aws-dynamodb');

const app = new App();
const stack = new Stack(app, 'Shop');
const data = new NestedStack(stack, 'Data');
const orders = new Table(data, 'Orders', { partitionKey: { name: 'id', type: 'S' } });
const logic = new NestedStack(stack, 'Logic');
const layer = new lambda.LayerVersion(stack, 'Text', { code: lambda.Code.fromAsset('../layers/text'), compatibleRuntimes: [lambda.Runtime.NODEJS_20_X] });
const settings = () => ({ runtime: lambda.Runtime.NODEJS_20_X, handler: 'index.handler', code: lambda.Code.fromAsset('../functions/node'), environment: { TABLE: orders.tableName } });
new lambda.Function(logic, 'Hello', { ...settings(), layers: [layer] });
new lambda.Function(new NestedStack(logic, 'Deep'), 'Hello', settings());
app.synth();
