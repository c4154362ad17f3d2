// A state machine, a custom bus with a rule, and a scheduler.
const { App, Stack, Duration } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { StateMachine, DefinitionBody, Wait, WaitTime } = require('aws-cdk-lib/aws-stepfunctions');
const { LambdaInvoke } = require('aws-cdk-lib/aws-stepfunctions-tasks');
const { EventBus, Rule } = require('aws-cdk-lib/aws-events');
const { SfnStateMachine, LambdaFunction } = require('aws-cdk-lib/aws-events-targets');
const { Schedule, ScheduleExpression } = require('aws-cdk-lib/aws-scheduler');
const { LambdaInvoke: Invoke } = require('aws-cdk-lib/aws-scheduler-targets');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const step = new lambda.Function(stack, 'Step', node());
const chain = new Wait(stack, 'Pause', { time: WaitTime.duration(Duration.seconds(1)) }).next(new LambdaInvoke(stack, 'Invoke', { lambdaFunction: step }));
const machine = new StateMachine(stack, 'Machine', { definitionBody: DefinitionBody.fromChainable(chain) });
const bus = new EventBus(stack, 'Bus');
new Rule(stack, 'Placed', { eventBus: bus, eventPattern: { detailType: ['placed'] }, targets: [new SfnStateMachine(machine), new LambdaFunction(step)] });
new Schedule(stack, 'Often', { schedule: ScheduleExpression.rate(Duration.minutes(5)), target: new Invoke(step) });
new lambda.Function(stack, 'Starter', node({ environment: { MACHINE: machine.stateMachineArn, BUS: bus.eventBusName } }));
app.synth();
