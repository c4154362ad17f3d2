// Package addresses tells the functions of an application where its APIs are
// on this machine.
//
// A template gives a function the address that an API has on AWS, in an
// environment variable say: https://ID.execute-api.REGION.amazonaws.com/STAGE,
// or https://ID.lambda-url.REGION.on.aws/. A function that calls it would leave
// this machine, or find nothing.
package addresses
