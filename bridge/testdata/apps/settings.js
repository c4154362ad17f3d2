// What most apps' functions have in common.
const lambda = require('aws-cdk-lib/aws-lambda');

exports.node = (more) => ({ runtime: lambda.Runtime.NODEJS_20_X, handler: 'index.handler', code: lambda.Code.fromAsset('../functions/node'), ...more });
exports.python = (more) => ({ runtime: lambda.Runtime.PYTHON_3_11, handler: 'index.handler', code: lambda.Code.fromAsset('../functions/python'), ...more });
