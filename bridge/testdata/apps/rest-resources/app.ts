// A REST API of several resources and functions, with path parameters, and
// constructs that extend the CDK's, in TypeScript.
import { App, Stack } from 'aws-cdk-lib';
import { LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

class Handler extends LambdaFunction {
  constructor(scope: Construct, id: string, private readonly greeting: string) {
    super(scope, id, { runtime: Runtime.NODEJS_20_X, handler: 'index.handler', code: Code.fromAsset('../functions/node') });
    this.addEnvironment('GREETING', this.greeting);
  }
}

const app = new App();
const stack = new Stack(app, 'Shop');
const [list, one, add] = ['List', 'One', 'Add'].map((id) => new Handler(stack, id, id.toLowerCase()));
const orders = new RestApi(stack, 'Api').root.addResource('orders');
orders.addMethod('GET', new LambdaIntegration(list));
orders.addMethod('POST', new LambdaIntegration(add));
const order = orders.addResource('{id}');
order.addMethod('GET', new LambdaIntegration(one));
order.addResource('{rest+}').addMethod('ANY', new LambdaIntegration(one));
app.synth();
