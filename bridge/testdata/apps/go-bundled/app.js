// A Go function as GoFunction makes it: the folder that local bundling wrote,
// with the program as bootstrap. SAM CLI #5781, #3718, cdk #26573.
const { App, Stack, DockerImage } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const fs = require('node:fs');
const path = require('node:path');

const build = {
  tryBundle(out) {
    fs.writeFileSync(path.join(out, 'bootstrap'), '#!/bin/sh\necho a Go program would be here\n', { mode: 0o755 });
    return true;
  },
};
const app = new App();
const stack = new Stack(app, 'Shop');
new lambda.Function(stack, 'Hello', {
  runtime: lambda.Runtime.PROVIDED_AL2023,
  handler: 'bootstrap',
  architecture: lambda.Architecture.ARM_64,
  code: lambda.Code.fromAsset('src', { bundling: { image: DockerImage.fromRegistry('none'), local: build } }),
});
app.synth();
