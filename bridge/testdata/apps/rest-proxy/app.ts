// LambdaRestApi: every method and path of a REST API goes to one function. In
// TypeScript. SAM CLI #1483.
import { App, Stack } from 'aws-cdk-lib';
import { LambdaRestApi } from 'aws-cdk-lib/aws-apigateway';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';

const app = new App();
const stack = new Stack(app, 'Shop');
const handler: LambdaFunction = new LambdaFunction(stack, 'Hello', { runtime: Runtime.NODEJS_20_X, handler: 'index.handler', code: Code.fromAsset('../functions/node') });
new LambdaRestApi(stack, 'Api', { handler, deployOptions: { stageName: 'live', variables: { level: 'debug' } } });
app.synth();
