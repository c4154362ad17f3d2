// Layers, own and foreign; code that stands in the template; all the settings
// of a function.
const { App, Stack, Duration, Size } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');

const app = new App();
const stack = new Stack(app, 'Shop');
const words = new lambda.LayerVersion(stack, 'Words', { code: lambda.Code.fromAsset('../layers/words') });
const foreign = lambda.LayerVersion.fromLayerVersionArn(stack, 'Foreign', 'arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension:14');
new lambda.Function(stack, 'Layered', {
  runtime: lambda.Runtime.PYTHON_3_11,
  handler: 'index.handler',
  code: lambda.Code.fromAsset('../functions/python'),
  layers: [words, foreign],
  memorySize: 512,
  timeout: Duration.seconds(20),
  ephemeralStorageSize: Size.gibibytes(1),
  architecture: lambda.Architecture.ARM_64,
  reservedConcurrentExecutions: 3,
  description: 'A function with layers',
  tracing: lambda.Tracing.ACTIVE,
  loggingFormat: lambda.LoggingFormat.JSON,
  applicationLogLevelV2: lambda.ApplicationLogLevel.DEBUG,
});
new lambda.Function(stack, 'Inline', {
  runtime: lambda.Runtime.PYTHON_3_11,
  handler: 'index.handler',
  code: lambda.Code.fromInline('def handler(event, context):\n    return {"inline": True}\n'),
});
app.synth();
