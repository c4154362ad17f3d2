// Code and a layer that are .zip files already. SAM CLI #1911.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { python } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const words = new lambda.LayerVersion(stack, 'Words', { code: lambda.Code.fromAsset('layer.zip') });
new lambda.Function(stack, 'Hello', python({ code: lambda.Code.fromAsset('code.zip'), layers: [words] }));
app.synth();
