package eventfork

import (
	"fmt"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskinesisfirehose"
	"github.com/aws/jsii-runtime-go"

	"github.com/bailey-cdk/bailey/constructs/internal/nag"
)

// Parquet stores events as columns, which query engines read a part of. Events
// must be JSON objects. Firehose takes the columns from a table of the Glue Data
// Catalog: one that the branch makes of Columns, or yours.
type Parquet struct {
	// Columns are the fields that are stored, in order. Others are dropped.
	Columns []Column
	// Database and Table are yours, instead of Columns.
	Database, Table string
}

// Column is a column of a table.
type Column struct {
	// Name is in small letters, as Glue has all of them; fields are found in
	// any spelling.
	Name string
	// Type is one of Hive's, such as "string", "bigint", "double", "timestamp"
	// or "array<string>".
	Type string
}

var columnName = regexp.MustCompile(`^[a-z0-9_]{1,255}$`)

func (p *Parquet) check() (found []string) {
	switch {
	case len(p.Columns) > 0 && p.Database+p.Table != "":
		found = append(found, "Parquet has Columns and a Database or Table: choose one")
	case len(p.Columns) == 0 && (p.Database == "" || p.Table == ""):
		found = append(found, "Parquet has no Columns: name the fields to store, or the Database and Table that do")
	}
	for _, c := range p.Columns {
		if !columnName.MatchString(c.Name) || c.Type == "" {
			found = append(found, fmt.Sprintf("the column %q of type %q is none: want a name of small letters, digits and _, and a type such as string", c.Name, c.Type))
		}
	}
	return found
}

// conversion is what Firehose does with the lines.
func (p *Parquet) conversion(b *branch, s *stream) *awskinesisfirehose.CfnDeliveryStream_DataFormatConversionConfigurationProperty {
	stack := awscdk.Stack_Of(b.scope)
	database, table := jsii.String(p.Database), jsii.String(p.Table)
	if len(p.Columns) > 0 {
		database, table = p.catalogue(b)
	}
	arn := func(resource string) string {
		return *stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("glue"), Resource: &resource})
	}
	s.allow([]string{"glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"}, arn("catalog"), arn("database/"+*database), arn("table/"+*database+"/"+*table))
	nag.SuppressPolicy(s.role, "AwsSolutions-IAM5", "The versions of a table have no ARNs of their own; the table is this branch's.", `/^Resource::.*:glue:.*$/`)
	return &awskinesisfirehose.CfnDeliveryStream_DataFormatConversionConfigurationProperty{
		Enabled: jsii.Bool(true),
		InputFormatConfiguration: &awskinesisfirehose.CfnDeliveryStream_InputFormatConfigurationProperty{
			Deserializer: &awskinesisfirehose.CfnDeliveryStream_DeserializerProperty{OpenXJsonSerDe: &awskinesisfirehose.CfnDeliveryStream_OpenXJsonSerDeProperty{}},
		},
		OutputFormatConfiguration: &awskinesisfirehose.CfnDeliveryStream_OutputFormatConfigurationProperty{
			Serializer: &awskinesisfirehose.CfnDeliveryStream_SerializerProperty{
				ParquetSerDe: &awskinesisfirehose.CfnDeliveryStream_ParquetSerDeProperty{Compression: jsii.String("SNAPPY")},
			},
		},
		SchemaConfiguration: &awskinesisfirehose.CfnDeliveryStream_SchemaConfigurationProperty{
			DatabaseName: database, TableName: table, RoleArn: s.role.RoleArn(),
			CatalogId: stack.Account(), Region: stack.Region(), VersionId: jsii.String("LATEST"),
		},
	}
}

// catalogue makes the table of the columns.
func (p *Parquet) catalogue(b *branch) (database, table *string) {
	stack := awscdk.Stack_Of(b.scope)
	d := awsglue.NewCfnDatabase(b.scope, jsii.String("Database"), &awsglue.CfnDatabaseProps{
		CatalogId: stack.Account(), DatabaseInput: &awsglue.CfnDatabase_DatabaseInputProperty{Description: jsii.String("the events of " + *b.Node().Path())},
	})
	var columns []any
	for _, c := range p.Columns {
		columns = append(columns, awsglue.CfnTable_ColumnProperty{Name: &c.Name, Type: &c.Type})
	}
	t := awsglue.NewCfnTable(b.scope, jsii.String("Table"), &awsglue.CfnTableProps{
		CatalogId: stack.Account(), DatabaseName: d.Ref(),
		TableInput: &awsglue.CfnTable_TableInputProperty{
			TableType: jsii.String("EXTERNAL_TABLE"), Parameters: map[string]any{"classification": "parquet"},
			StorageDescriptor: &awsglue.CfnTable_StorageDescriptorProperty{
				Columns:      &columns,
				InputFormat:  jsii.String("org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"),
				OutputFormat: jsii.String("org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"),
				SerdeInfo:    &awsglue.CfnTable_SerdeInfoProperty{SerializationLibrary: jsii.String("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe")},
			},
		},
	})
	return d.Ref(), t.Ref()
}
