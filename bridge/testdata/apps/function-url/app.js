// A function with a URL of its own, with CORS, and one behind IAM. SAM CLI #4299,
// #4123.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const hello = new lambda.Function(stack, 'Hello', node());
const url = hello.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.NONE, cors: { allowedOrigins: ['https://shop.example'] } });
const closed = new lambda.Function(stack, 'Closed', node({ environment: { URL: url.url } }));
closed.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.AWS_IAM });
app.synth();
