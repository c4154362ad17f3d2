// Package samtemplate writes a [model.Application] as the template that the
// AWS SAM CLI runs locally.
//
// # What is written
//
// [Write] fills one folder, .aws-sam/build by default, which is where the SAM
// CLI looks by itself:
//
//   - template.yaml: all functions and layers, and the HTTP or REST API where
//     the application has just one;
//   - api-NAME.yaml: each further API and each function URL, with the functions
//     that it uses, since the SAM CLI serves all APIs of a file as if they
//     were one;
//   - env.json: every environment variable with its local value, to copy and
//     change for --env-vars;
//   - samconfig.toml: settings for the SAM CLI when it is given the template
//     by -t;
//   - inline/NAME/: the code of functions whose text stands in the template.
//
// Paths in a template are relative to it. The same application gives the same
// bytes.
//
// # The form
//
// [CloudFormation], the default, has resources of AWS::Lambda and
// AWS::ApiGateway and no intrinsic that the SAM CLI could resolve to
// something else. It is the form that the SAM CLI reads best: it is what its
// own hook for Terraform hands it. [SAM] has AWS::Serverless resources with
// their events, for people who hand the template on. The two are never mixed:
// beside one serverless resource, the SAM CLI ignores every API of the other
// kind.
//
// # Names
//
// A function answers to its short name (the logical id), to its construct path
// (SamResourceId) and to its FunctionName, which is the template's own or
// else the CDK's logical id.
package samtemplate
