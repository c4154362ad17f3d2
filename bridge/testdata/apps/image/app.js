// A container image function, one from a registry, and code that lies in a
// bucket. SAM CLI #2461, #2802.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Repository } = require('aws-cdk-lib/aws-ecr');
const { Bucket } = require('aws-cdk-lib/aws-s3');

const app = new App();
const stack = new Stack(app, 'Shop');
new lambda.DockerImageFunction(stack, 'Built', {
  code: lambda.DockerImageCode.fromImageAsset('../functions/image', { buildArgs: { BASE: 'scratch' }, target: 'runtime', cmd: ['app.handler'] }),
});
new lambda.DockerImageFunction(stack, 'Pulled', { code: lambda.DockerImageCode.fromEcr(new Repository(stack, 'Images'), { tagOrDigest: '1' }) });
new lambda.Function(stack, 'InBucket', {
  runtime: lambda.Runtime.NODEJS_20_X,
  handler: 'index.handler',
  code: lambda.Code.fromBucket(Bucket.fromBucketName(stack, 'Code', 'code-bucket'), 'app.zip'),
});
app.synth();
