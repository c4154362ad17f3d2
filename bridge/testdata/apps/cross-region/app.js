// A function that is given the names of things in another region's stack,
// which the CDK carries over by parameters. SAM CLI #1604.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Topic } = require('aws-cdk-lib/aws-sns');
const { Bucket } = require('aws-cdk-lib/aws-s3');
const { node } = require('../settings');

const app = new App();
const at = (region) => ({ env: { account: '111111111111', region }, crossRegionReferences: true });
const far = new Stack(app, 'Far', at('us-east-1'));
const topic = new Topic(far, 'Placed');
const files = new Bucket(far, 'Files');
const near = new Stack(app, 'Near', at('eu-west-1'));
new lambda.Function(near, 'Hello', node({ environment: { TOPIC: topic.topicArn, BUCKET: files.bucketName } }));
app.synth();
