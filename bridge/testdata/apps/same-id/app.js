// Functions of one construct id below different parents: one of them vanishes.
// SAM CLI #5728, #4034, #3585.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Construct } = require('constructs');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
for (const parent of ['Orders', 'Users']) {
  const group = new Construct(stack, parent);
  new lambda.Function(group, 'Handler', node({ environment: { PARENT: parent } }));
}
new lambda.Function(stack, 'Handler', node({ environment: { PARENT: 'none' } }));
app.synth();
