// Command apps-go holds the CDK apps of testdata/apps that are written in Go,
// in one program, since linking the CDK takes seconds: its argument chooses
// one. It is run in the folder of that app.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

var apps = map[string]func(awscdk.App){
	"go-fork":       eventFork,
	"go-http":       http,
	"go-nested":     nested,
	"go-serverless": serverlessAPIs,
	"go-stages":     stages,
}

func main() {
	define := apps[os.Args[len(os.Args)-1]]
	if define == nil {
		fmt.Fprintln(os.Stderr, "usage: apps-go go-fork|go-http|go-nested|go-serverless|go-stages")
		os.Exit(2)
	}
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	define(app)
	app.Synth(nil)
}

func function(scope constructs.Construct, environment map[string]*string) awslambda.Function {
	return awslambda.NewFunction(scope, jsii.String("Hello"), &awslambda.FunctionProps{
		Runtime:     awslambda.Runtime_NODEJS_20_X(),
		Handler:     jsii.String("index.handler"),
		Code:        awslambda.Code_FromAsset(jsii.String("../functions/node"), nil),
		Environment: &environment,
	})
}
