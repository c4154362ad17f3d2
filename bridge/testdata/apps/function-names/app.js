// Function names that are no plain text, and one name in two regions. SAM CLI
// #5916, #4597.
const { App, Stack, Aws, Fn } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { HttpApi } = require('aws-cdk-lib/aws-apigatewayv2');
const { HttpLambdaIntegration } = require('aws-cdk-lib/aws-apigatewayv2-integrations');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const joined = new lambda.Function(stack, 'Joined', node({ functionName: Fn.join('-', [Aws.STACK_NAME, 'joined']) }));
const named = new lambda.Function(stack, 'Named', node({ functionName: `${Aws.REGION}-named` }));
const api = new HttpApi(stack, 'Api');
api.addRoutes({ path: '/joined', methods: ['GET'], integration: new HttpLambdaIntegration('Joined', joined) });
api.addRoutes({ path: '/named', methods: ['GET'], integration: new HttpLambdaIntegration('Named', named) });
for (const region of ['eu-west-1', 'us-west-2']) {
  new lambda.Function(new Stack(app, `In-${region}`, { env: { account: '111111111111', region } }), 'Twice', node({ functionName: 'the-same' }));
}
app.synth();
