// Command checkout-fork is the CDK app of the example: a shop whose checkout
// publishes each order once, and a fork that archives, indexes, books and keeps
// it. The README has the exercise.
package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	NewShop(app, "Shop", nil)
	app.Synth(nil)
}
