// Parameters, conditions and mappings: a function that is not there, one that
// is, and a value chosen by each.
const { App, Stack, CfnParameter, CfnCondition, CfnMapping, Fn, Aws, Token } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const stage = new CfnParameter(stack, 'Stage', { default: 'test', allowedValues: ['test', 'live'] });
const live = new CfnCondition(stack, 'IsLive', { expression: Fn.conditionEquals(stage.valueAsString, 'live') });
const test = new CfnCondition(stack, 'IsTest', { expression: Fn.conditionNot(live) });
const sizes = new CfnMapping(stack, 'Sizes', { mapping: { test: { memory: 256 }, live: { memory: 2048 } } });
const both = { STAGE: stage.valueAsString, LEVEL: Token.asString(Fn.conditionIf(live.logicalId, 'warn', 'debug')), GONE: Token.asString(Fn.conditionIf(live.logicalId, 'here', Aws.NO_VALUE)) };
const hello = new lambda.Function(stack, 'Hello', node({ environment: both }));
hello.node.defaultChild.memorySize = Token.asNumber(sizes.findInMap(stage.valueAsString, 'memory'));
new lambda.Function(stack, 'OnlyTest', node()).node.defaultChild.cfnOptions.condition = test;
new lambda.Function(stack, 'OnlyLive', node()).node.defaultChild.cfnOptions.condition = live;
app.synth();
