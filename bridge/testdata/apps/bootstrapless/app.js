// A stack that needs no bootstrapping, and so has no assets.
const { App, Stack, BootstraplessSynthesizer } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop', { synthesizer: new BootstraplessSynthesizer() });
new lambda.Function(stack, 'Hello', node({ code: lambda.Code.fromInline('exports.handler = async (event) => ({ event });\n') }));
app.synth();
