// Runs cdk-nag's AwsSolutions rules over a CloudFormation template, its argument,
// and prints what they find as a JSON list. The template's resources become
// constructs again, so that the rules see what they would in the app; the
// suppressions are those in the template's metadata.
const { App, Aspects, BootstraplessSynthesizer, Stack } = require('aws-cdk-lib');
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include');
const { AwsSolutionsChecks } = require('cdk-nag');

const findings = [];
const find = (data, more) => findings.push({
  rule: data.ruleId, finding: data.findingId, resource: data.resource.node.id, info: data.ruleInfo, ...more,
});
const logger = {
  onCompliance() {},
  onNotApplicable() {},
  onNonCompliance: (data) => find(data),
  onSuppressed: (data) => find(data, { reason: data.suppressionReason }),
  // A rule that could not read a resource has not passed.
  onError: (data) => find(data, { info: data.errorMessage }),
  onSuppressedError: (data) => find(data, { info: data.errorMessage }),
};

const app = new App();
const stack = new Stack(app, 'Stack', { synthesizer: new BootstraplessSynthesizer() });
new CfnInclude(stack, 'Template', { templateFile: process.argv[2] });
Aspects.of(app).add(new AwsSolutionsChecks({ reports: false, additionalLoggers: [logger] }));
app.synth();
console.log(JSON.stringify(findings));
