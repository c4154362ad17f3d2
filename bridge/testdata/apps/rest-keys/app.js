// A REST API with a usage plan and keys, a validator and a domain name, none of
// which the SAM CLI has. SAM CLI #5164.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const api = require('aws-cdk-lib/aws-apigateway');
const { Certificate } = require('aws-cdk-lib/aws-certificatemanager');
const { node } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
const hello = new api.LambdaIntegration(new lambda.Function(stack, 'Hello', node()));
const certificate = Certificate.fromCertificateArn(stack, 'Certificate', 'arn:aws:acm:us-east-1:111111111111:certificate/x');
const rest = new api.RestApi(stack, 'Api', { deployOptions: { stageName: 'live' }, domainName: { domainName: 'shop.example', certificate, basePath: 'v1' } });
const hellos = rest.root.addResource('hello');
hellos.addMethod('GET', hello, { apiKeyRequired: true, requestParameters: { 'method.request.querystring.name': true }, requestValidatorOptions: { validateRequestParameters: true } });
hellos.addResource('{name}').addMethod('POST', hello);
const plan = rest.addUsagePlan('Plan', { apiStages: [{ stage: rest.deploymentStage }] });
plan.addApiKey(rest.addApiKey('Key'));
app.synth();
