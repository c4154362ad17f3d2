// Package e2e brings the real tools to the end-to-end tests: the AWS SAM CLI
// at a pinned version, a container engine, the images that functions run in and
// an emulated AWS account. Nothing in a release imports it.
//
// # What is pinned
//
// The SAM CLI and cfn-lint come from PyPI into a virtual environment in the
// cache folder, whose name is a hash of the pins (requirements.txt,
// constraints.txt). [Prepare] installs them ahead, where there is a network;
// scripts/with-docker then runs the tests in a namespace that has none.
//
// The libraries that call APIs come from npm in the same way (clients). A
// browser is the machine's Chromium, which Prepare installs from Debian's
// packages where it can.
//
// # An AWS account
//
// [AWS] starts an emulator of AWS that implements CloudFormation, from PyPI as
// well (emulator.txt). What it can't do stands in e2e/EMULATOR.md, which the
// tests hold true.
//
// # Images
//
// The SAM CLI runs a function in AWS's image of its runtime. [BaseImage] pulls
// it. Where the registry can't be reached, it makes a stand-in under the same
// tag: a root file system of this machine's own shell and interpreter with
// AWS's own runtime interface client, and says so in the test's log. The
// emulator in front of it is the SAM CLI's own in either case. A stand-in has a
// label, so that it is never taken for the real image, and replaces none.
package e2e
