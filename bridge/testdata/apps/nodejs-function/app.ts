// NodejsFunction in a TypeScript app: esbuild bundles a handler in TypeScript.
// SAM CLI #7000, #7048, #1911.
import { App, Stack } from 'aws-cdk-lib';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import * as path from 'node:path';

const app = new App();
const stack = new Stack(app, 'Shop');
const entry: string = path.resolve('handler.ts');
const shared = { entry, runtime: Runtime.NODEJS_20_X, projectRoot: path.resolve('.'), depsLockFilePath: path.resolve('package-lock.json') };
new NodejsFunction(stack, 'Hello', { ...shared, environment: { WHO: 'world' } });
new NodejsFunction(stack, 'Small', { ...shared, handler: 'small', bundling: { minify: true, format: OutputFormat.CJS } });
app.synth();
