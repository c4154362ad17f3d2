// A CDK Pipeline that deploys the same stack to two stages. SAM CLI #3900,
// #3068, #3155.
const { App, Stack, Stage } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Repository } = require('aws-cdk-lib/aws-codecommit');
const { CodePipeline, CodePipelineSource, ShellStep } = require('aws-cdk-lib/pipelines');
const { node } = require('../settings');

const app = new App();
const tools = new Stack(app, 'Tools', { env: { account: '111111111111', region: 'eu-west-1' } });
const source = CodePipelineSource.codeCommit(Repository.fromRepositoryName(tools, 'Source', 'shop'), 'main');
const pipeline = new CodePipeline(tools, 'Pipeline', { synth: new ShellStep('Synth', { input: source, commands: ['npx cdk synth'] }) });
for (const [name, region] of [['Beta', 'eu-west-1'], ['Live', 'us-west-2']]) {
  const stage = new Stage(app, name, { env: { account: '111111111111', region } });
  new lambda.Function(new Stack(stage, 'Shop'), 'Hello', node({ environment: { STAGE: name } }));
  pipeline.addStage(stage);
}
app.synth();
