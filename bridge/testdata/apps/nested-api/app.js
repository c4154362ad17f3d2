// An API in the parent over functions in nested stacks, one of which is given
// what another made. SAM CLI #3306, #2832, #3333.
const { App, Stack, NestedStack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Queue } = require('aws-cdk-lib/aws-sqs');
const { HttpApi } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const orders = new Queue(new NestedStack(stack, 'Data'), 'Orders');
const place = new lambda.Function(new NestedStack(stack, 'Place'), 'Place', node({ environment: { QUEUE: orders.queueUrl, QUEUE_ARN: orders.queueArn } }));
const read = new lambda.Function(new NestedStack(stack, 'Read'), 'Read', node({ environment: { PLACE: place.functionName } }));
const api = new HttpApi(stack, 'Api');
api.addRoutes({ path: '/orders', methods: ['POST'], integration: new HttpLambdaIntegration('Place', place) });
api.addRoutes({ path: '/orders', methods: ['GET'], integration: new HttpLambdaIntegration('Read', read) });
app.synth();
