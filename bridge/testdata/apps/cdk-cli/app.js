// A function, a layer and an image, synthesised by aws-cdk 2.1148.1 with the
// metadata of paths, assets and analytics that it asks for. cdk #14593.
const { App, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { node } = require('../settings');

const stack = new Stack(new App(), 'Shop');
const text = new lambda.LayerVersion(stack, 'Text', { code: lambda.Code.fromAsset('../layers/text') });
new lambda.Function(stack, 'Hello', node({ layers: [text] }));
new lambda.DockerImageFunction(stack, 'Boxed', { code: lambda.DockerImageCode.fromImageAsset('../functions/image') });
stack.node.root.synth();
