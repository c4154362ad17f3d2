// Assets that the CLI publishes with the credentials of its user.
const { App, Stack, CliCredentialsStackSynthesizer } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop', { synthesizer: new CliCredentialsStackSynthesizer({ bucketPrefix: 'code/' }) });
new lambda.Function(stack, 'Hello', node());
new lambda.DockerImageFunction(stack, 'Boxed', { code: lambda.DockerImageCode.fromImageAsset('../functions/image') });
app.synth();
