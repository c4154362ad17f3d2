// What else invokes functions: topics, tables, buckets, logs, destinations.
// SAM CLI #5058, #283.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Topic, SubscriptionFilter } = require('aws-cdk-lib/aws-sns');
const { LambdaSubscription, SqsSubscription } = require('aws-cdk-lib/aws-sns-subscriptions');
const { Queue } = require('aws-cdk-lib/aws-sqs');
const { Table } = require('aws-cdk-lib/aws-dynamodb');
const { Bucket } = require('aws-cdk-lib/aws-s3');
const { LogGroup, FilterPattern } = require('aws-cdk-lib/aws-logs');
const { LambdaDestination } = require('aws-cdk-lib/aws-logs-destinations');
const { DynamoEventSource, SqsDlq, S3EventSourceV2 } = require('aws-cdk-lib/aws-lambda-event-sources');
const { SqsDestination, EventBridgeDestination } = require('aws-cdk-lib/aws-lambda-destinations');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const dead = new Queue(stack, 'Dead');
const work = new lambda.Function(stack, 'Work', node({ onFailure: new SqsDestination(dead), onSuccess: new EventBridgeDestination(), retryAttempts: 1 }));
const placed = new Topic(stack, 'Placed');
placed.addSubscription(new LambdaSubscription(work, { filterPolicy: { kind: SubscriptionFilter.stringFilter({ allowlist: ['order'] }) } }));
placed.addSubscription(new SqsSubscription(new Queue(stack, 'Copy', { deadLetterQueue: { queue: dead, maxReceiveCount: 3 } }), { rawMessageDelivery: true }));
const orders = new Table(stack, 'Orders', { partitionKey: { name: 'id', type: 'S' }, stream: 'NEW_AND_OLD_IMAGES' });
work.addEventSource(new DynamoEventSource(orders, { startingPosition: lambda.StartingPosition.LATEST, bisectBatchOnError: true, retryAttempts: 2, onFailure: new SqsDlq(dead) }));
work.addEventSource(new S3EventSourceV2(new Bucket(stack, 'Files'), { events: ['s3:ObjectCreated:*'], filters: [{ prefix: 'in/' }] }));
new LogGroup(stack, 'Log').addSubscriptionFilter('Errors', { destination: new LambdaDestination(work), filterPattern: FilterPattern.allTerms('ERROR') });
app.synth();
