// Look-ups that nobody has answered yet: the CDK puts dummies in their place.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Vpc } = require('aws-cdk-lib/aws-ec2');
const { HostedZone } = require('aws-cdk-lib/aws-route53');
const { StringParameter } = require('aws-cdk-lib/aws-ssm');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop', { env: { account: '111111111111', region: 'eu-west-1' } });
const vpc = Vpc.fromLookup(stack, 'Vpc', { isDefault: true });
const zone = HostedZone.fromLookup(stack, 'Zone', { domainName: 'shop.example' });
new lambda.Function(stack, 'Hello', node({ vpc, environment: { ZONE: zone.hostedZoneId, LEVEL: StringParameter.valueFromLookup(stack, '/shop/level') } }));
app.synth();
