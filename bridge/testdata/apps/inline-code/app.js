// Code that stands in the template, in Node.js and Python.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { node, python } = require('../settings');

const app = new App();
const stack = new Stack(app, 'Shop');
new lambda.Function(stack, 'InNode', node({ code: lambda.Code.fromInline('exports.handler = async (event) => ({ from: "node", event });\n'), environment: { A: '1' } }));
new lambda.Function(stack, 'InPython', python({ code: lambda.Code.fromInline('def handler(event, context):\n    return {"from": "python", "event": event}\n') }));
app.synth();
