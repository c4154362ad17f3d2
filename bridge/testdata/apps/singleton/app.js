// A function that is there once, however often it is asked for.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Construct } = require('constructs');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
for (const id of ['First', 'Second']) {
  const own = new lambda.SingletonFunction(new Construct(stack, id), 'Once', node({ uuid: '41c4b0e0-7d3f-4a7a-8a0a-5a5a5a5a5a5a', lambdaPurpose: 'Once' }));
  own.addEnvironment(id.toUpperCase(), 'yes');
}
app.synth();
