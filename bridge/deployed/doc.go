// Package deployed reads from AWS what the stacks of an application are when
// they are deployed: the physical ids of their resources, their outputs and
// parameters, and the exports that they import. A local function then works on
// the deployed resources.
//
// It finds credentials, region and endpoint as every AWS SDK does, changes
// nothing, and calls three actions of CloudFormation: DescribeStacks,
// ListStackResources and, where a template imports a value, ListExports.
package deployed
