package firehose

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/itchyny/gojq"
)

// config is what a delivery stream does with its records.
type config struct {
	interval time.Duration
	size     int
	// s3 is the destination, or the backup of another one.
	s3 *s3Config
	// backup gets the records as they came. nil for none.
	backup     *s3Config
	processors []processor
	// partitions says that dynamic partitioning is on.
	partitions bool
	// converts says that records become Parquet or ORC, so that they must be JSON.
	converts bool
	search   *searchConfig
	// unknown is the destination that is not there locally, "" for none.
	unknown string
}

// s3Config is where in a bucket objects go.
type s3Config struct {
	bucket              string
	prefix, errorPrefix string
	compression         string
	extension           string
	zone                *time.Location
}

// searchConfig is an index.
type searchConfig struct {
	domain, index, rotation string
	allDocuments            bool
	// failed is what error-output-type says of its failures.
	failed string
}

// processor is one of the steps of a ProcessingConfiguration.
type processor struct {
	kind       string
	parameters map[string]string
	query      *gojq.Code
}

// What Firehose takes where a configuration says nothing.
const (
	defaultInterval = 300 * time.Second
	defaultSize     = 5
	megabyte        = 1 << 20
	maxInterval     = 900
	maxSize         = 128
)

// node is a part of the properties of a stream. Templates and requests have the
// same names.
type node map[string]any

func (n node) child(name string) node {
	switch c := n[name].(type) {
	case map[string]any:
		return c
	case node:
		return c
	}
	return nil
}

func (n node) text(name string) string {
	switch v := n[name].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

func (n node) number(name string, fallback, most int) int {
	v, err := strconv.ParseFloat(n.text(name), 64)
	if err != nil || v < 0 {
		return fallback
	}
	return int(min(v, float64(most)))
}

// searchDestinations are the destinations that are indexes.
var searchDestinations = map[string]string{
	"AmazonopensearchserviceDestinationConfiguration":          "elasticsearch-failed",
	"ElasticsearchDestinationConfiguration":                    "elasticsearch-failed",
	"AmazonOpenSearchServerlessDestinationConfiguration":       "elasticsearch-failed",
	"AmazonopensearchserviceDestinationUpdate":                 "elasticsearch-failed",
	"AmazonOpenSearchServerlessDestinationConfigurationUpdate": "elasticsearch-failed",
}

// readConfig reads the properties of a stream, a template's or a request's.
func readConfig(properties node) (*config, error) {
	for _, name := range []string{"ExtendedS3DestinationConfiguration", "S3DestinationConfiguration"} {
		if d := properties.child(name); d != nil {
			return readS3Destination(d)
		}
	}
	for name, failed := range searchDestinations {
		if d := properties.child(name); d != nil {
			return readSearchDestination(d, failed)
		}
	}
	for name := range properties {
		if strings.HasSuffix(name, "DestinationConfiguration") {
			return &config{unknown: strings.TrimSuffix(name, "DestinationConfiguration"), interval: defaultInterval, size: defaultSize * megabyte}, nil
		}
	}
	return nil, fmt.Errorf("it has no destination")
}

func readS3Destination(d node) (*config, error) {
	c := &config{}
	c.hints(d.child("BufferingHints"))
	var err error
	if c.s3, err = readS3(d); err != nil {
		return nil, err
	}
	if d.text("S3BackupMode") == "Enabled" {
		if c.backup, err = readS3(d.child("S3BackupConfiguration")); err != nil {
			return nil, fmt.Errorf("the backup: %w", err)
		}
	}
	c.partitions = d.child("DynamicPartitioningConfiguration").text("Enabled") == "true"
	conversion := d.child("DataFormatConversionConfiguration")
	c.converts = conversion != nil && conversion.text("Enabled") != "false"
	c.processors, err = readProcessors(d.child("ProcessingConfiguration"))
	return c, err
}

func readSearchDestination(d node, failed string) (*config, error) {
	c := &config{}
	c.hints(d.child("BufferingHints"))
	domain := d.text("DomainARN")
	if i := strings.LastIndexByte(domain, '/'); i >= 0 {
		domain = domain[i+1:]
	}
	for _, name := range []string{"ClusterEndpoint", "CollectionEndpoint"} {
		if domain == "" {
			domain, _, _ = strings.Cut(strings.TrimPrefix(d.text(name), "https://"), ".")
		}
	}
	c.search = &searchConfig{
		domain: domain, index: d.text("IndexName"), rotation: d.text("IndexRotationPeriod"),
		allDocuments: d.text("S3BackupMode") == "AllDocuments", failed: failed,
	}
	if domain == "" || c.search.index == "" {
		return nil, fmt.Errorf("its search destination needs a domain and an IndexName")
	}
	var err error
	if c.s3, err = readS3(d.child("S3Configuration")); err != nil {
		return nil, fmt.Errorf("the backup: %w", err)
	}
	c.processors, err = readProcessors(d.child("ProcessingConfiguration"))
	return c, err
}

// hints reads when the buffer is delivered.
func (c *config) hints(h node) {
	c.interval = time.Duration(h.number("IntervalInSeconds", int(defaultInterval/time.Second), maxInterval)) * time.Second
	c.size = max(1, h.number("SizeInMBs", defaultSize, maxSize)) * megabyte
}

func readS3(d node) (*s3Config, error) {
	c := &s3Config{
		prefix: d.text("Prefix"), errorPrefix: d.text("ErrorOutputPrefix"), compression: d.text("CompressionFormat"), extension: d.text("FileExtension"),
	}
	arn := d.text("BucketARN")
	c.bucket = arn[strings.LastIndexByte(arn, ':')+1:]
	if c.bucket == "" {
		return nil, fmt.Errorf("it has no BucketARN")
	}
	var err error
	if c.zone, err = time.LoadLocation(d.text("CustomTimeZone")); err != nil {
		return nil, fmt.Errorf("its CustomTimeZone %q is none", d.text("CustomTimeZone"))
	}
	if err := checkPrefixes(c.prefix, c.errorPrefix); err != nil {
		return nil, err
	}
	if compressions[c.compression] == nil {
		return nil, fmt.Errorf("its CompressionFormat %q is none", c.compression)
	}
	return c, nil
}

func readProcessors(d node) ([]processor, error) {
	if d.text("Enabled") == "false" {
		return nil, nil
	}
	list, _ := d["Processors"].([]any)
	var all []processor
	for _, entry := range list {
		n, _ := entry.(map[string]any)
		p := processor{kind: node(n).text("Type"), parameters: map[string]string{}}
		parameters, _ := n["Parameters"].([]any)
		for _, parameter := range parameters {
			if n, ok := parameter.(map[string]any); ok {
				p.parameters[node(n).text("ParameterName")] = node(n).text("ParameterValue")
			}
		}
		if err := p.compile(); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// compile reads what a processor needs more than once.
func (p *processor) compile() error {
	switch p.kind {
	case "Lambda", "AppendDelimiterToRecord", "RecordDeAggregation":
		return nil
	case "MetadataExtraction":
		query, err := gojq.Parse(p.parameters["MetadataExtractionQuery"])
		if err == nil {
			p.query, err = gojq.Compile(query)
		}
		if err != nil {
			return fmt.Errorf("its MetadataExtractionQuery is no JQ expression: %w", err)
		}
		return nil
	}
	return fmt.Errorf("its processor %s is not there locally", p.kind)
}
