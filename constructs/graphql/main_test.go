package graphql_test

import (
	"testing"

	"github.com/bailey-cdk/bailey/constructs/internal/constructtest"
	"github.com/bailey-cdk/bailey/constructs/serverless"
)

func TestMain(m *testing.M) { constructtest.Main(m) }

// checkout is the least that a function needs.
var checkout = serverless.FunctionProps{Entry: "./functions/checkout"}
