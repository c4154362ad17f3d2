// Container images: build arguments, a target, a Dockerfile of another name, a
// platform, and a function of each. SAM CLI #3733, #2461, #7824, #4059.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Platform } = require('aws-cdk-lib/aws-ecr-assets');

const app = new App();
const stack = new Stack(app, 'Shop');
const image = (id, settings, more) => new lambda.DockerImageFunction(stack, id, { code: lambda.DockerImageCode.fromImageAsset('../functions/image', settings), ...more });
image('Plain');
image('Arguments', { buildArgs: { BASE: 'scratch' }, cmd: ['app.handler'], entrypoint: ['/bootstrap'], workingDirectory: '/srv' });
image('Target', { target: 'runtime' });
image('Arm', { platform: Platform.LINUX_ARM64 }, { architecture: lambda.Architecture.ARM_64, memorySize: 512 });
new lambda.DockerImageFunction(stack, 'Other', { code: lambda.DockerImageCode.fromImageAsset('context', { file: 'docker/Other.dockerfile', cacheDisabled: true }) });
app.synth();
