// Command synthapps synthesises the CDK apps in bridge/testdata/apps anew, or
// those that its arguments name. It is run in the root of the repository.
package main
