// Assets that stay where the app has them, by cdk synth --no-staging, so that
// a change is seen without another synthesis. SAM CLI #4000, #3575, cdk #16708.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { node } = require('../settings');

const stack = new Stack(new App(), 'Shop');
const text = new lambda.LayerVersion(stack, 'Text', { code: lambda.Code.fromAsset('layer') });
new lambda.Function(stack, 'Hello', node({ code: lambda.Code.fromAsset('src'), layers: [text] }));
stack.node.root.synth();
