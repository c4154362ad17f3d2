// A function of CloudFront's edge, in a stack of us-east-1 that the CDK makes.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Distribution, experimental, LambdaEdgeEventType } = require('aws-cdk-lib/aws-cloudfront');
const { HttpOrigin } = require('aws-cdk-lib/aws-cloudfront-origins');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop', { env: { account: '111111111111', region: 'eu-west-1' } });
const check = new experimental.EdgeFunction(stack, 'Check', { runtime: lambda.Runtime.NODEJS_20_X, handler: 'index.handler', code: lambda.Code.fromAsset('../functions/node') });
new Distribution(stack, 'Site', { defaultBehavior: { origin: new HttpOrigin('shop.example'), edgeLambdas: [{ functionVersion: check.currentVersion, eventType: LambdaEdgeEventType.VIEWER_REQUEST }] } });
new lambda.Function(stack, 'Hello', node());
app.synth();
