// A region of another partition, whose ARNs begin with arn:aws-cn.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Queue } = require('aws-cdk-lib/aws-sqs');
const { HttpApi } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop', { env: { account: '111111111111', region: 'cn-north-1' } });
const work = new Queue(stack, 'Work');
const hello = new lambda.Function(stack, 'Hello', node({ environment: { QUEUE: work.queueUrl, QUEUE_ARN: work.queueArn, DOMAIN: stack.urlSuffix } }));
new HttpApi(stack, 'Api').addRoutes({ path: '/hello', methods: ['GET'], integration: new HttpLambdaIntegration('Hello', hello) });
app.synth();
