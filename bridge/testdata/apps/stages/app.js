// The same stack in two stages. SAM CLI #3900, #3068.
const { App, Stack, Stage } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');

const app = new App();
for (const name of ['Test', 'Prod']) {
  const stack = new Stack(new Stage(app, name), 'Shop');
  new lambda.Function(stack, 'Hello', {
    runtime: lambda.Runtime.PYTHON_3_11,
    handler: 'index.handler',
    code: lambda.Code.fromAsset('../functions/python'),
    environment: { STAGE: name },
  });
}
app.synth();
