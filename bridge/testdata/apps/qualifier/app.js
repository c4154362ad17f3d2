// A bootstrap stack of another qualifier, with prefixes before the assets'
// keys and tags.
const { App, Stack, DefaultStackSynthesizer } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { node } = require('../settings');

const app = new App();
const synthesizer = new DefaultStackSynthesizer({ qualifier: 'shop', bucketPrefix: 'deep/down/', dockerTagPrefix: 'shop-', deployTimeFileAssetsObjectPrefix: 'x' });
const stack = new Stack(app, 'Shop', { synthesizer });
new lambda.Function(stack, 'Hello', node());
new lambda.DockerImageFunction(stack, 'Boxed', { code: lambda.DockerImageCode.fromImageAsset('../functions/image') });
app.synth();
