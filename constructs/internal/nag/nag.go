// Package nag answers cdk-nag where one of its rules does not fit. It writes what
// cdk-nag itself writes for a suppression, into the resource's metadata, and so
// needs nothing of cdk-nag: who does not use it has a few lines of metadata.
package nag

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// key is that of cdk-nag's entry in a resource's Metadata attribute.
const key = "cdk_nag"

// Suppress says why a rule, such as "AwsSolutions-IAM5", does not apply to a
// construct's resource. Findings are regular expressions in JavaScript's form,
// such as `/^Action::s3:.*$/`, for the rule's findings that it is about; all of
// them where there is none.
func Suppress(construct constructs.IConstruct, rule, reason string, findings ...string) {
	resource, ok := construct.(awscdk.CfnResource)
	if !ok {
		resource, ok = construct.Node().DefaultChild().(awscdk.CfnResource)
	}
	if !ok {
		return // Imported: its stack is another's.
	}
	suppression := map[string]any{"id": rule, "reason": reason}
	var regexes []any
	for _, finding := range findings {
		regexes = append(regexes, map[string]any{"regex": finding})
	}
	if len(regexes) > 0 {
		suppression["applies_to"] = regexes
	}
	all := []any{suppression}
	if entry, ok := resource.GetMetadata(jsii.String(key)).(map[string]any); ok {
		if earlier, ok := entry["rules_to_suppress"].([]any); ok {
			all = append(earlier, all...)
		}
	}
	resource.AddMetadata(jsii.String(key), map[string]any{"rules_to_suppress": all})
}

// SuppressPolicy is Suppress for the policy that a role's grants are in.
func SuppressPolicy(role constructs.IConstruct, rule, reason string, findings ...string) {
	if policy := role.Node().TryFindChild(jsii.String("DefaultPolicy")); policy != nil {
		Suppress(policy, rule, reason, findings...)
	}
}
