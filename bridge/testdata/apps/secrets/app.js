// Environment variables that CloudFormation reads from elsewhere. SAM CLI
// #894, #2987, #1878.
const { App, Stack, SecretValue, Fn } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { StringParameter } = require('aws-cdk-lib/aws-ssm');
const { Secret } = require('aws-cdk-lib/aws-secretsmanager');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
new StringParameter(stack, 'Own', { parameterName: '/shop/own', stringValue: 'of this stack' });
new lambda.Function(stack, 'Hello', node({
  environment: {
    OWN: StringParameter.valueForStringParameter(stack, '/shop/own'),
    OTHER: StringParameter.valueForStringParameter(stack, '/other/level'),
    SECURE: SecretValue.ssmSecure('/shop/key', '2').unsafeUnwrap(),
    SECRET: SecretValue.secretsManager('shop/database', { jsonField: 'password' }).unsafeUnwrap(),
    SECRET_NAME: Secret.fromSecretNameV2(stack, 'Named', 'shop/database').secretName,
    IMPORTED: Fn.importValue('another-stack-exports-it'),
    LITERAL: 'as it is',
  },
}));
app.synth();
