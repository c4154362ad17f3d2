package serverless_test

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// An app is linked anew at each change of the infrastructure, and the linker's
// time grows with the packages. These are large, and nothing here needs them.
// AppSync, which brings databases with it, is for package graphql.
func TestPackageStaysSmall(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Fields(string(out))
	if !slices.Contains(all, "github.com/aws/aws-cdk-go/awscdk/v2/awslambda") {
		t.Fatalf("there is not even Lambda in %q", all)
	}
	for _, name := range all {
		large := slices.Contains([]string{"awsappsync", "awsrds"}, path.Base(name)) ||
			slices.Contains([]string{"net/http", "go/build"}, name) ||
			strings.HasPrefix(name, "github.com/aws/aws-sdk-go-v2")
		if large {
			t.Errorf("an app with functions links %s too", name)
		}
	}
}
