// What invokes functions: queues, streams, schedules, rules. SAM CLI #5058,
// #283.
const { App, Stack, Duration } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Queue } = require('aws-cdk-lib/aws-sqs');
const { Stream } = require('aws-cdk-lib/aws-kinesis');
const { Rule, Schedule, RuleTargetInput } = require('aws-cdk-lib/aws-events');
const { LambdaFunction } = require('aws-cdk-lib/aws-events-targets');
const { SqsEventSource, KinesisEventSource } = require('aws-cdk-lib/aws-lambda-event-sources');

const app = new App();
const stack = new Stack(app, 'Shop');
const worker = new lambda.Function(stack, 'Worker', { runtime: lambda.Runtime.NODEJS_20_X, handler: 'index.handler', code: lambda.Code.fromAsset('../functions/node') });
worker.addEventSource(new SqsEventSource(new Queue(stack, 'Work'), {
  batchSize: 25,
  maxBatchingWindow: Duration.seconds(5),
  reportBatchItemFailures: true,
  maxConcurrency: 4,
  filters: [lambda.FilterCriteria.filter({ body: { kind: lambda.FilterRule.isEqual('order') } })],
}));
worker.addEventSource(new KinesisEventSource(new Stream(stack, 'Clicks'), { startingPosition: lambda.StartingPosition.TRIM_HORIZON }));
new Rule(stack, 'Nightly', { schedule: Schedule.cron({ minute: '0', hour: '3' }), targets: [new LambdaFunction(worker, { event: RuleTargetInput.fromObject({ task: 'sweep' }) })] });
new Rule(stack, 'OnChange', { eventPattern: { source: ['shop'] }, targets: [new LambdaFunction(worker)] });
new lambda.Alias(stack, 'Live', { aliasName: 'live', version: worker.currentVersion }).addEventSource(new SqsEventSource(new Queue(stack, 'Late'), { enabled: false }));
app.synth();
