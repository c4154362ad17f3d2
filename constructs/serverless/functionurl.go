package serverless

import (
	"fmt"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"

	prop "github.com/bailey-cdk/bailey/constructs/internal/props"
)

// FunctionUrlConfig is a function's own HTTPS endpoint, by SAM's names.
type FunctionUrlConfig struct {
	// AuthType is AWSIAM by default: requests are signed by AWS's Signature
	// Version 4, for a caller who may (see GrantInvokeUrl). With NoAuthorizer
	// everyone may call.
	AuthType string
	// Cors lets pages of other origins call the function; they can't by
	// default. Lambda answers preflight requests itself.
	Cors *Cors
	// InvokeMode is "BUFFERED" by default; "RESPONSE_STREAM" passes on what
	// the function writes while it writes it.
	InvokeMode string
}

// FunctionUrl is the function's endpoint, nil where FunctionUrlConfig is unset.
func (f *Function) FunctionUrl() awslambda.FunctionUrl { return f.url }

// urlMethods are those that Lambda's CORS knows. Source: "Cors",
// https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html
var urlMethods = []string{"*", "DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"}

func checkFunctionURL(p *FunctionProps) (found []string) {
	c := p.FunctionUrlConfig
	if c == nil {
		return nil
	}
	if c.AuthType != "" {
		found = append(found, prop.OneOf("FunctionUrlConfig.AuthType", c.AuthType, AWSIAM, NoAuthorizer)...)
	}
	if c.InvokeMode != "" {
		found = append(found, prop.OneOf("FunctionUrlConfig.InvokeMode", c.InvokeMode, "BUFFERED", "RESPONSE_STREAM")...)
	}
	if c.Cors != nil {
		for _, problem := range c.Cors.check() {
			found = append(found, "FunctionUrlConfig: "+problem)
		}
		for _, method := range c.Cors.AllowMethods {
			if method == "OPTIONS" || method == "ANY" {
				found = append(found, fmt.Sprintf("FunctionUrlConfig: Cors.AllowMethods has %q, which a function URL does not take: use some of %s", method, joined(urlMethods)))
			}
		}
	}
	return found
}

func (f *Function) addURL() {
	c := f.props.FunctionUrlConfig
	if c == nil {
		return
	}
	options := &awslambda.FunctionUrlOptions{AuthType: awslambda.FunctionUrlAuthType_AWS_IAM}
	if c.AuthType == NoAuthorizer {
		options.AuthType = awslambda.FunctionUrlAuthType_NONE
	}
	if c.InvokeMode == "RESPONSE_STREAM" {
		options.InvokeMode = awslambda.InvokeMode_RESPONSE_STREAM
	}
	if c.Cors != nil {
		options.Cors = c.Cors.ofURL()
	}
	f.url = f.AddFunctionUrl(options)
}

func (c *Cors) ofURL() *awslambda.FunctionUrlCorsOptions {
	options := &awslambda.FunctionUrlCorsOptions{
		AllowCredentials: prop.OptionalTrue(c.AllowCredentials),
		AllowedHeaders:   prop.OptionalStrings(c.AllowHeaders),
		AllowedOrigins:   prop.OptionalStrings(c.AllowOrigins),
		ExposedHeaders:   prop.OptionalStrings(c.ExposeHeaders),
		MaxAge:           prop.OptionalDuration(c.MaxAge),
	}
	if len(c.AllowMethods) > 0 {
		allowed := []awslambda.HttpMethod{awslambda.HttpMethod_ALL}
		if !slices.Contains(c.AllowMethods, "*") {
			allowed = nil
			for _, method := range c.AllowMethods {
				allowed = append(allowed, awslambda.HttpMethod(method))
			}
		}
		options.AllowedMethods = &allowed
	}
	return options
}
