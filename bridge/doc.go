// Package bridge carries a CDK application to where it can run locally.
//
// [Load] reads a cloud assembly into a [model.Application]; [Build] builds the
// Go functions of it for this machine. What follows is up to the caller:
// package samtemplate writes the template that the AWS SAM CLI reads, package
// local runs the functions itself.
//
//	app, err := bridge.Load(bridge.Options{Assembly: "cdk.out"})
//	...
//	err = bridge.Build(ctx, app, app.Functions, bridge.BuildOptions{})
//	...
//	result, err := samtemplate.Write(app, samtemplate.Options{})
//
// A [Transform] may change the application in between.
package bridge
