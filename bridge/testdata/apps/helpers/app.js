// Constructs that bring functions of their own, beside one of the user. SAM CLI
// #3192, #2849, #2968.
const { App, Stack, CustomResource } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Bucket } = require('aws-cdk-lib/aws-s3');
const { RetentionDays, LogRetention } = require('aws-cdk-lib/aws-logs');
const { LambdaDestination } = require('aws-cdk-lib/aws-s3-notifications');
const { Provider, AwsCustomResource, AwsCustomResourcePolicy } = require('aws-cdk-lib/custom-resources');
const { RemovalPolicy } = require('aws-cdk-lib');

const app = new App();
const stack = new Stack(app, 'Shop');
const mine = new lambda.Function(stack, 'Mine', { runtime: lambda.Runtime.NODEJS_20_X, handler: 'index.handler', code: lambda.Code.fromAsset('../functions/node') });
new LogRetention(stack, 'Keep', { logGroupName: '/shop/log', retention: RetentionDays.ONE_WEEK });
const files = new Bucket(stack, 'Files', { removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true });
files.addObjectCreatedNotification(new LambdaDestination(mine));
new CustomResource(stack, 'Thing', { serviceToken: new Provider(stack, 'Provider', { onEventHandler: mine }).serviceToken });
new AwsCustomResource(stack, 'Call', { onUpdate: { service: 'SSM', action: 'getParameter', parameters: { Name: 'x' }, physicalResourceId: { id: 'x' } }, policy: AwsCustomResourcePolicy.fromSdkCalls({ resources: ['*'] }) });
app.synth();
