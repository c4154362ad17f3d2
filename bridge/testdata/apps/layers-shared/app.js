// A layer of another stack, beside one by ARN and one that a stack elsewhere
// exports. SAM CLI #2783, #3731, #1411.
const { App, Stack, Fn } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { node } = require('../settings');

const app = new App();
const text = new lambda.LayerVersion(new Stack(app, 'Shared'), 'Text', { code: lambda.Code.fromAsset('../layers/text') });
const stack = new Stack(app, 'Shop');
new lambda.Function(stack, 'Hello', node({ code: lambda.Code.fromAsset('src'), layers: [text] }));
const own = new lambda.LayerVersion(stack, 'Own', { code: lambda.Code.fromAsset('../layers/text'), description: 'in this stack' });
const exported = lambda.LayerVersion.fromLayerVersionArn(stack, 'Exported', Fn.importValue('a-layer'));
new lambda.Function(stack, 'Mixed', node({ layers: [own, exported] }));
app.synth();
