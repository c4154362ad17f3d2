package serverless

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// TableProps defines a [Table]. Only PartitionKey is required.
type TableProps struct {
	// PartitionKey is the attribute that items are found by, such as "id".
	PartitionKey     string
	PartitionKeyType KeyType
	// SortKey orders the items of one partition key; there is none by default.
	SortKey     string
	SortKeyType KeyType
	// Indexes are further ways to find items.
	Indexes []Index
	// TimeToLive is the attribute that holds when an item expires, in seconds
	// since 1970; items do not expire by default.
	TimeToLive string
	// Stream says what of a changed item the table's stream holds; there is no
	// stream by default.
	Stream awsdynamodb.StreamViewType
	// ReadCapacity and WriteCapacity are capacity units a second. By default
	// the table takes every load and each request is paid for.
	ReadCapacity  int
	WriteCapacity int
	// DisablePointInTimeRecovery keeps no backup of the last 35 days.
	DisablePointInTimeRecovery bool
	// DeletionProtection refuses to delete the table, whoever asks.
	DeletionProtection bool
	// RemovalPolicy is what becomes of the table when it leaves the stack, or
	// the stack is deleted; it is kept by default, with its items.
	RemovalPolicy awscdk.RemovalPolicy
	// EncryptionKey replaces the key that DynamoDB itself owns.
	EncryptionKey awskms.IKey
	// TableName is the physical name; CloudFormation makes one by default.
	TableName string
}

// Index is a global secondary index.
type Index struct {
	// Name is 3 to 255 letters, digits, "_", "-" and ".".
	Name string
	// PartitionKey and SortKey are attributes of the items; those that lack
	// them are not in the index.
	PartitionKey     string
	PartitionKeyType KeyType
	SortKey          string
	SortKeyType      KeyType
	// Projection is what the index holds of an item, all of it by default.
	Projection awsdynamodb.ProjectionType
	// NonKeyAttributes are further attributes, for the projection INCLUDE.
	NonKeyAttributes []string
}

// KeyType is the type of a key attribute, by SAM's names.
type KeyType string

// The types of a key attribute; String is the default.
const (
	String KeyType = "String"
	Number KeyType = "Number"
	Binary KeyType = "Binary"
)

// Table is a DynamoDB table. It is an [awsdynamodb.Table], the resource type
// that SAM's SimpleTable makes too, not awsdynamodb.TableV2: a table moves
// between a SAM and a CDK stack without a new one being made, and a local run
// finds it under the name that tools know. Replicas in other regions are what
// TableV2 is for; policies take one of those as well.
type Table struct {
	awsdynamodb.Table

	faults *prop.Faults
}

// NewTable adds a table to scope. Mistakes are reported as by [NewFunction].
func NewTable(scope constructs.Construct, id string, props TableProps) *Table {
	t := &Table{faults: prop.NewFaults(scope, id)}
	props.check(t.faults)
	if problem := prop.TakenID(scope, id); problem != "" {
		t.faults.Add("%s", problem)
		id = prop.FreeID(scope, id)
	}
	if !t.faults.Try(func() { awsdynamodb.NewTable_Override(t, scope, &id, props.tableProps()) }) {
		scope.Node().TryRemoveChild(&id)
		t.Table = nil
		safe := TableProps{PartitionKey: "id"}
		awsdynamodb.NewTable_Override(t, scope, &id, safe.tableProps())
	}
	t.faults.Attach(t)
	for _, index := range props.Indexes {
		t.faults.About(fmt.Sprintf("index %q", index.Name), func() { t.addIndex(index) })
	}
	return t
}

// ToString is overridden only because jsii takes a Go type as a subclass when it
// overrides something.
func (t *Table) ToString() *string { return t.Table.ToString() }

func (t *Table) addIndex(index Index) {
	if index.Name == "" || index.PartitionKey == "" {
		t.faults.Add("an index needs a Name and a PartitionKey")
		return
	}
	types := append(keyTypeProblem("PartitionKeyType", index.PartitionKeyType), keyTypeProblem("SortKeyType", index.SortKeyType)...)
	for _, problem := range types {
		t.faults.Add("%s", problem)
	}
	if len(types) > 0 {
		return
	}
	t.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:        &index.Name,
		PartitionKey:     attribute(index.PartitionKey, index.PartitionKeyType),
		SortKey:          attribute(index.SortKey, index.SortKeyType),
		ProjectionType:   index.Projection,
		NonKeyAttributes: prop.OptionalStrings(index.NonKeyAttributes),
	})
}

func (p *TableProps) check(faults *prop.Faults) {
	found := prop.NilPointers(p)
	if p.PartitionKey == "" {
		found = append(found, "the table has no PartitionKey: name the attribute that items are found by, such as \"id\"")
		p.PartitionKey, p.PartitionKeyType = "id", String
	}
	for _, key := range []struct {
		name  string
		value *KeyType
	}{{"PartitionKeyType", &p.PartitionKeyType}, {"SortKeyType", &p.SortKeyType}} {
		if problem := keyTypeProblem(key.name, *key.value); problem != nil {
			found = append(found, problem...)
			*key.value = String
		}
	}
	if p.SortKey != "" && p.SortKey == p.PartitionKey {
		found = append(found, fmt.Sprintf("SortKey and PartitionKey are both %q: they are two attributes", p.SortKey))
		p.SortKey = ""
	}
	if p.ReadCapacity < 0 || p.WriteCapacity < 0 || (p.ReadCapacity == 0) != (p.WriteCapacity == 0) {
		found = append(found, fmt.Sprintf("ReadCapacity is %d and WriteCapacity %d: set both, or neither to pay for each request", p.ReadCapacity, p.WriteCapacity))
		p.ReadCapacity, p.WriteCapacity = 0, 0
	}
	if p.TableName != "" && !prop.IsToken(p.TableName) && !tableName.MatchString(p.TableName) {
		found = append(found, fmt.Sprintf("TableName %q is none for DynamoDB: use 3 to 255 letters, digits, _, - and .", p.TableName))
		p.TableName = ""
	}
	if p.Stream != "" && !slices.Contains(streamViews, p.Stream) {
		found = append(found, prop.OneOf("Stream", p.Stream, streamViews...)...)
		p.Stream = ""
	}
	for _, message := range found {
		faults.Add("%s", message)
	}
}

var tableName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)

var streamViews = []awsdynamodb.StreamViewType{
	awsdynamodb.StreamViewType_KEYS_ONLY, awsdynamodb.StreamViewType_NEW_IMAGE,
	awsdynamodb.StreamViewType_OLD_IMAGE, awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES,
}

func keyTypeProblem(name string, value KeyType) []string {
	if value == "" {
		return nil
	}
	return prop.OneOf(name, value, String, Number, Binary)
}

// attribute is nil for a key that there is none of.
func attribute(name string, keyType KeyType) *awsdynamodb.Attribute {
	if name == "" {
		return nil
	}
	kind := awsdynamodb.AttributeType_STRING
	switch keyType {
	case Number:
		kind = awsdynamodb.AttributeType_NUMBER
	case Binary:
		kind = awsdynamodb.AttributeType_BINARY
	}
	return &awsdynamodb.Attribute{Name: &name, Type: kind}
}

func (p *TableProps) tableProps() *awsdynamodb.TableProps {
	props := &awsdynamodb.TableProps{
		PartitionKey:        attribute(p.PartitionKey, p.PartitionKeyType),
		SortKey:             attribute(p.SortKey, p.SortKeyType),
		TimeToLiveAttribute: prop.Optional(p.TimeToLive),
		Stream:              p.Stream,
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		DeletionProtection:  prop.OptionalTrue(p.DeletionProtection),
		RemovalPolicy:       p.RemovalPolicy,
		TableName:           prop.Optional(p.TableName),
	}
	if p.ReadCapacity > 0 {
		props.BillingMode = awsdynamodb.BillingMode_PROVISIONED
		props.ReadCapacity, props.WriteCapacity = jsii.Number(p.ReadCapacity), jsii.Number(p.WriteCapacity)
	}
	if !p.DisablePointInTimeRecovery {
		props.PointInTimeRecoverySpecification = &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		}
	}
	if p.EncryptionKey != nil {
		props.Encryption, props.EncryptionKey = awsdynamodb.TableEncryption_CUSTOMER_MANAGED, p.EncryptionKey
	}
	return props
}
