// A stack in each of two stages, in a Go app. SAM CLI #3900, #3068.

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

func stages(app awscdk.App) {
	for _, name := range []string{"Beta", "Live"} {
		stage := awscdk.NewStage(app, jsii.String(name), nil)
		function(awscdk.NewStack(stage, jsii.String("Shop"), nil), map[string]*string{"STAGE": jsii.String(name)})
	}
}
