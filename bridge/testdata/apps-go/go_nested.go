// A function in a nested stack, with the name and ARN of its parent's table, in a
// Go app. SAM CLI #3306, #3175.

package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"
)

func nested(app awscdk.App) {
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	orders := awsdynamodb.NewTable(stack, jsii.String("Orders"), &awsdynamodb.TableProps{
		PartitionKey: &awsdynamodb.Attribute{Name: jsii.String("id"), Type: awsdynamodb.AttributeType_STRING},
	})
	inner := awscdk.NewNestedStack(stack, jsii.String("Inner"), nil)
	function(inner, map[string]*string{"TABLE": orders.TableName(), "TABLE_ARN": orders.TableArn()})
}
