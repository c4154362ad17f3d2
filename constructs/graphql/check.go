package graphql

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// safeSchema is that of an API whose own can't be read.
const safeSchema = "type Query {\n  nothing: String\n}\n"

// check fills the defaults in, records the faults, repairs the props, and gives
// the schema.
func (p *ApiProps) check(faults *prop.Faults) string {
	p.setDefaults()
	schema, found := p.readSchema()
	found = append(found, p.checkAuth()...)
	found = append(found, p.checkSources()...)
	found = append(found, p.checkSteps()...)
	if schema != "" {
		found = append(found, p.checkResolvers(schema)...)
	} else {
		p.Resolvers = nil
		schema = safeSchema
	}
	found = append(found, p.checkSettings()...)
	for _, message := range found {
		faults.Add("%s", message)
	}
	return schema
}

// setDefaults also copies what check may change of the user's.
func (p *ApiProps) setDefaults() {
	prop.SetDefault(&p.Auth.Type, awsIAM)
	prop.SetDefault(&p.FieldLogLevel, "ERROR")
	prop.SetDefault(&p.LogRetention, prop.DefaultLogRetention)
	p.DataSources.Lambda, p.DataSources.DynamoDb = maps.Clone(p.DataSources.Lambda), maps.Clone(p.DataSources.DynamoDb)
	p.Functions, p.Resolvers = maps.Clone(p.Functions), maps.Clone(p.Resolvers)
	for kind, fields := range p.Resolvers {
		p.Resolvers[kind] = maps.Clone(fields)
	}
	p.Auth.Additional = slices.Clone(p.Auth.Additional)
	if p.Cache != nil {
		c := *p.Cache
		p.Cache = &c
		prop.SetDefault(&c.ApiCachingBehavior, "PER_RESOLVER_CACHING")
		prop.SetDefault(&c.Type, "SMALL")
		prop.SetDefault(&c.Ttl, time.Minute)
	}
}

func (p *ApiProps) readSchema() (string, []string) {
	switch {
	case p.SchemaInline == "" && p.SchemaUri == "":
		return "", prop.Messages("the API has no schema: set SchemaInline, or SchemaUri to a file such as \"./schema.graphql\"")
	case p.SchemaInline != "" && p.SchemaUri != "":
		return "", prop.Messages("SchemaInline and SchemaUri are both set: choose one")
	case p.SchemaInline != "":
		return p.SchemaInline, nil
	}
	text, err := os.ReadFile(p.SchemaUri)
	if err != nil {
		return "", prop.Messages("SchemaUri %q can't be read: name a file, relative to the folder of cdk.json", p.SchemaUri)
	}
	if strings.TrimSpace(string(text)) == "" {
		return "", prop.Messages("SchemaUri %q is empty", p.SchemaUri)
	}
	return string(text), nil
}

func (p *ApiProps) checkAuth() (found []string) {
	found = p.Auth.check()
	types := []string{p.Auth.Type}
	for i := range p.Auth.Additional {
		a := &p.Auth.Additional[i]
		if len(a.Additional) > 0 {
			found = append(found, "Auth.Additional has an Additional of its own: put all into the outer one")
		}
		if slices.Contains(types, a.Type) && (a.Type == "API_KEY" || a.Type == awsIAM) {
			found = append(found, fmt.Sprintf("Auth.Additional has %s twice", a.Type))
		}
		if a.UserPool != nil && a.UserPool.DefaultAction != "" {
			found = append(found, "Auth.Additional has a UserPool with a DefaultAction: AppSync knows one for the API's own Auth alone, and lets in the others to what the schema's directives name")
		}
		types = append(types, a.Type)
		found = append(found, a.check()...)
	}
	if len(found) > 0 {
		p.Auth = Auth{Type: awsIAM}
	}
	if len(p.ApiKeys) > 0 && len(found) == 0 && !p.Auth.has("API_KEY") {
		found = append(found, "ApiKeys need the Auth.Type API_KEY, or one in Auth.Additional")
	}
	for _, name := range sortedKeys(p.ApiKeys) {
		if on := p.ApiKeys[name].ExpiresOn; !on.IsZero() && (time.Until(on) < 24*time.Hour || time.Until(on) > 365*24*time.Hour) {
			found = append(found, fmt.Sprintf("the API key %q expires on %s: allowed are a day to a year from now", name, on.Format(time.DateOnly)))
			p.ApiKeys = nil
			break
		}
	}
	return found
}

// validName is what AppSync takes for the name of a data source or function.
var validName = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]*$`)

func (p *ApiProps) checkSources() (found []string) {
	drop := func(name, problem string) {
		found = append(found, fmt.Sprintf("data source %q: %s", name, problem))
		delete(p.DataSources.Lambda, name)
		delete(p.DataSources.DynamoDb, name)
	}
	for _, name := range slices.Sorted(maps.Keys(p.DataSources.Lambda)) {
		_, both := p.DataSources.DynamoDb[name]
		switch {
		case !validName.MatchString(name) || name == noDataSource:
			drop(name, "the name is none for AppSync: use letters, digits and _, and not NONE")
		case both:
			drop(name, "it is in Lambda and in DynamoDb: give one another name")
		case prop.IsNil(p.DataSources.Lambda[name].Function):
			drop(name, "it has no Function: make it before the API and pass it")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.DataSources.DynamoDb)) {
		switch {
		case !validName.MatchString(name) || name == noDataSource:
			drop(name, "the name is none for AppSync: use letters, digits and _, and not NONE")
		case prop.IsNil(p.DataSources.DynamoDb[name].Table):
			drop(name, "it has no Table: make it before the API and pass it")
		}
	}
	return found
}

func (p *ApiProps) hasSource(name string) bool {
	_, lambda := p.DataSources.Lambda[name]
	_, table := p.DataSources.DynamoDb[name]
	return lambda || table || name == noDataSource
}

// checkCode finds what is wrong with the code of a step or resolver.
func checkCode(inline, uri string, needed bool) []string {
	switch {
	case inline != "" && uri != "":
		return prop.Messages("InlineCode and CodeUri are both set: choose one")
	case inline == "" && uri == "" && needed:
		return prop.Messages("it has no code: set InlineCode, or CodeUri to a file such as \"./resolvers/order.js\"")
	case uri != "":
		if info, err := os.Stat(uri); err != nil || info.IsDir() {
			return prop.Messages("CodeUri %q can't be read: name a file, relative to the folder of cdk.json", uri)
		}
	}
	return nil
}

func (p *ApiProps) checkSteps() (found []string) {
	for _, name := range sortedKeys(p.Functions) {
		f := p.Functions[name]
		problems := checkCode(f.InlineCode, f.CodeUri, true)
		if !validName.MatchString(name) {
			problems = append(problems, "the name is none for AppSync: use letters, digits and _")
		}
		if !p.hasSource(f.DataSource) {
			problems = append(problems, fmt.Sprintf("the API has no data source %q: %s", f.DataSource, p.sourceNames()))
		}
		problems = append(problems, checkBatch(f.MaxBatchSize)...)
		if len(problems) > 0 {
			delete(p.Functions, name)
		}
		for _, problem := range problems {
			found = append(found, fmt.Sprintf("function %q: %s", name, problem))
		}
	}
	return found
}

func (p *ApiProps) sourceNames() string {
	names := slices.Concat(slices.Collect(maps.Keys(p.DataSources.Lambda)), slices.Collect(maps.Keys(p.DataSources.DynamoDb)))
	slices.Sort(names)
	return "use one of " + strings.Join(append(names, noDataSource), ", ")
}

func checkBatch(size int) []string {
	if size == 0 {
		return nil
	}
	return prop.InRange("MaxBatchSize", size, 1, 2000, "")
}

func (p *ApiProps) checkResolvers(schema string) (found []string) {
	for _, kind := range sortedKeys(p.Resolvers) {
		for _, field := range sortedKeys(p.Resolvers[kind]) {
			problems := p.checkResolver(p.Resolvers[kind][field])
			if problem := fieldProblem(schema, kind, field); problem != "" {
				problems = append(problems, problem)
			}
			if len(problems) > 0 {
				delete(p.Resolvers[kind], field)
			}
			for _, problem := range problems {
				found = append(found, fmt.Sprintf("resolver %s.%s: %s", kind, field, problem))
			}
		}
	}
	return found
}

func (p *ApiProps) checkResolver(r Resolver) (found []string) {
	_, direct := p.DataSources.Lambda[r.DataSource]
	switch {
	case len(r.Pipeline) > 0 && r.DataSource != "":
		found = append(found, "DataSource and Pipeline are both set: choose one")
	case len(r.Pipeline) == 0 && r.DataSource == "":
		found = append(found, "it has neither a DataSource nor a Pipeline: set one")
	case len(r.Pipeline) == 0 && !p.hasSource(r.DataSource):
		found = append(found, fmt.Sprintf("the API has no data source %q: %s", r.DataSource, p.sourceNames()))
	}
	for _, name := range r.Pipeline {
		if _, known := p.Functions[name]; !known {
			found = append(found, fmt.Sprintf("the API has no function %q: add it to Functions", name))
		}
	}
	found = append(found, checkCode(r.InlineCode, r.CodeUri, len(r.Pipeline) == 0 && !direct && p.hasSource(r.DataSource))...)
	found = append(found, checkBatch(r.MaxBatchSize)...)
	if c := r.Caching; c != nil {
		found = append(found, prop.DurationInRange("Caching.Ttl", c.Ttl, time.Second, time.Hour)...)
		if p.Cache == nil {
			found = append(found, "Caching needs the API's Cache")
		}
	}
	return found
}

var comment = regexp.MustCompile(`(?s)""".*?"""|#[^\n]*|"[^"\n]*"`)

// fieldProblem finds a field that a schema does not have. It looks for the
// words alone: AppSync reads the schema.
func fieldProblem(schema, kind, field string) string {
	schema = comment.ReplaceAllString(schema, "")
	if !validName.MatchString(kind) || !validName.MatchString(field) {
		return "the names of its type and field are none of GraphQL's: use letters, digits and _"
	}
	if !regexp.MustCompile(`\btype\s+` + kind + `\b`).MatchString(schema) {
		return fmt.Sprintf("the schema has no type %s", kind)
	}
	for _, body := range regexp.MustCompile(`(?s)\btype\s+`+kind+`\b[^{]*\{([^}]*)\}`).FindAllStringSubmatch(schema, -1) {
		if regexp.MustCompile(`\b` + field + `\s*[(:]`).MatchString(body[1]) {
			return ""
		}
	}
	return fmt.Sprintf("the type %s of the schema has no field %s", kind, field)
}

// cacheTypes are the sizes of AppSync's cache.
var cacheTypes = []string{"SMALL", "MEDIUM", "LARGE", "XLARGE", "LARGE_2X", "LARGE_4X", "LARGE_8X", "LARGE_12X"}

func (p *ApiProps) checkSettings() (found []string) {
	if problems := prop.OneOf("FieldLogLevel", p.FieldLogLevel, "NONE", "ERROR", "INFO", "DEBUG", "ALL"); len(problems) > 0 {
		found, p.FieldLogLevel = problems, "ERROR"
	}
	if problems := prop.CheckRetention("LogRetention", p.LogRetention); len(problems) > 0 {
		found, p.LogRetention = append(found, problems...), prop.DefaultLogRetention
	}
	if (p.DomainName == "") != (p.CertificateArn == "") {
		found = append(found, "DomainName and CertificateArn go together: set both")
		p.DomainName = ""
	}
	if p.QueryDepthLimit != 0 {
		if problems := prop.InRange("QueryDepthLimit", p.QueryDepthLimit, 1, 75, ""); len(problems) > 0 {
			found, p.QueryDepthLimit = append(found, problems...), 0
		}
	}
	if p.ResolverCountLimit != 0 {
		if problems := prop.InRange("ResolverCountLimit", p.ResolverCountLimit, 1, 10000, ""); len(problems) > 0 {
			found, p.ResolverCountLimit = append(found, problems...), 0
		}
	}
	if c := p.Cache; c != nil {
		problems := prop.OneOf("Cache.ApiCachingBehavior", c.ApiCachingBehavior, "PER_RESOLVER_CACHING", "FULL_REQUEST_CACHING")
		problems = append(problems, prop.OneOf("Cache.Type", c.Type, cacheTypes...)...)
		problems = append(problems, prop.DurationInRange("Cache.Ttl", c.Ttl, time.Second, time.Hour)...)
		if len(problems) > 0 {
			found, p.Cache = append(found, problems...), nil
		}
	}
	if problems := prop.CheckTags(p.Tags); len(problems) > 0 {
		found, p.Tags = append(found, problems...), nil
	}
	return found
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
