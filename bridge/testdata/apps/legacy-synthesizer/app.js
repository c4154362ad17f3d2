// Assets that the CLI uploads, and names by parameters of the template, as
// CDK v1 had them, in a stack and one nested in it. SAM CLI #2802.
const { App, Stack, NestedStack, LegacyStackSynthesizer } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop', { synthesizer: new LegacyStackSynthesizer() });
const text = new lambda.LayerVersion(stack, 'Text', { code: lambda.Code.fromAsset('../layers/text') });
new lambda.Function(stack, 'Hello', node({ layers: [text] }));
new lambda.DockerImageFunction(stack, 'Boxed', { code: lambda.DockerImageCode.fromImageAsset('../functions/image') });
new lambda.Function(new NestedStack(stack, 'Inner'), 'Hello', node());
app.synth();
