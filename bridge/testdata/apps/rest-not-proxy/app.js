// Integrations that are no proxy: a mapped Lambda, an HTTP service, a mock, an
// AWS service. SAM CLI #1353, #299.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const api = require('aws-cdk-lib/aws-apigateway');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const hello = new lambda.Function(stack, 'Hello', node());
const rest = new api.RestApi(stack, 'Api');
const add = (path, integration) => rest.root.addResource(path).addMethod('GET', integration, { methodResponses: [{ statusCode: '200' }] });
add('proxy', new api.LambdaIntegration(hello));
add('mapped', new api.LambdaIntegration(hello, { proxy: false, requestTemplates: { 'application/json': '{"name": "$input.params(\'name\')"}' }, integrationResponses: [{ statusCode: '200' }] }));
add('away', new api.HttpIntegration('https://shop.example'));
add('mock', new api.MockIntegration({ requestTemplates: { 'application/json': '{"statusCode": 200}' }, integrationResponses: [{ statusCode: '200' }] }));
add('service', new api.AwsIntegration({ service: 'sqs', path: '123456789012/work' }));
app.synth();
