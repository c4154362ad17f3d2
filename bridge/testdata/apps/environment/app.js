// Environment variables that refer to every kind of thing, some of which no
// local run can know. SAM CLI #1604, #4905, #7413, #3276, #2588, #3175, #1997,
// cdk #28824.
const { App, Stack, CfnParameter, CfnMapping, CfnCondition, Fn, Aws, SecretValue, CfnResource, Token } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Table, StreamViewType } = require('aws-cdk-lib/aws-dynamodb');
const { Queue } = require('aws-cdk-lib/aws-sqs');
const { Topic } = require('aws-cdk-lib/aws-sns');
const { Bucket } = require('aws-cdk-lib/aws-s3');
const { Secret } = require('aws-cdk-lib/aws-secretsmanager');
const { StringParameter } = require('aws-cdk-lib/aws-ssm');

const app = new App();
const stack = new Stack(app, 'Shop');
const orders = new Table(stack, 'Orders', { partitionKey: { name: 'id', type: 'S' }, stream: StreamViewType.NEW_IMAGE });
const named = new Table(stack, 'Named', { partitionKey: { name: 'id', type: 'S' }, tableName: 'real-table' });
const queue = new Queue(stack, 'Work', { fifo: true });
const topic = new Topic(stack, 'Placed');
const bucket = new Bucket(stack, 'Files');
const secret = new Secret(stack, 'Secret');
const made = new StringParameter(stack, 'Made', { parameterName: '/shop/greeting', stringValue: 'good day' });
const level = new CfnParameter(stack, 'Level', { default: 'info', allowedValues: ['info', 'debug'] });
const open = new CfnParameter(stack, 'Open');
const password = new CfnParameter(stack, 'Password', { noEcho: true, default: 'changeme' });
const greeting = StringParameter.valueForStringParameter(stack, '/shop/greeting');
const foreign = StringParameter.valueForStringParameter(stack, '/someone/else');
new CfnMapping(stack, 'Sizes', { mapping: { 'us-east-1': { size: 'large' }, 'eu-west-1': { size: 'small' } } });
const debug = new CfnCondition(stack, 'Debug', { expression: Fn.conditionEquals(level.valueAsString, 'debug') });
const custom = new CfnResource(stack, 'Custom', { type: 'Custom::Thing', properties: { ServiceToken: 'arn:aws:lambda:us-east-1:123456789012:function:elsewhere' } });

new lambda.Function(stack, 'Show', {
  runtime: lambda.Runtime.NODEJS_20_X,
  handler: 'index.handler',
  code: lambda.Code.fromAsset('../functions/node'),
  environment: {
    TABLE: orders.tableName,
    TABLE_ARN: orders.tableArn,
    STREAM_ARN: orders.tableStreamArn,
    NAMED: named.tableName,
    QUEUE_URL: queue.queueUrl,
    QUEUE_NAME: queue.queueName,
    TOPIC: topic.topicArn,
    BUCKET: bucket.bucketName,
    DOMAIN: bucket.bucketRegionalDomainName,
    SECRET: secret.secretArn,
    REGION: Aws.REGION,
    JOINED: Fn.join('-', [Aws.STACK_NAME, level.valueAsString]),
    PICKED: Fn.select(1, Fn.split('/', 'a/b/c')),
    SUBBED: Fn.sub('${Level} in ${AWS::Region} of ${Where}', { Where: 'the world' }),
    SIZE: Fn.findInMap('Sizes', Aws.REGION, 'size'),
    VERBOSE: Token.asString(Fn.conditionIf(debug.logicalId, 'yes', 'no')),
    CIDR: Fn.select(1, Fn.cidr('10.0.0.0/16', 4, '8')),
    JSON: stack.toJsonString({ table: orders.tableName, n: 1 }),
    GREETING: greeting,
    FOREIGN: foreign,
    OPEN: open.valueAsString,
    PASSWORD: password.valueAsString,
    DYNAMIC: SecretValue.ssmSecure('/shop/key', '1').unsafeUnwrap(),
    IMPORTED: Fn.importValue('nobody-exports-this'),
    CUSTOM: custom.getAtt('Answer').toString(),
  },
});
app.synth();
