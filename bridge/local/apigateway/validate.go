package apigateway

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/bailey-cdk/bailey/bridge/local/apigateway/schema"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// validate checks the request as its method asks for, and answers 400 where it
// fails:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
func (x *exchange) validate() bool {
	v := x.match.route.Validation
	if v == nil {
		return true
	}
	var missing []string
	for _, parameter := range v.Parameters {
		if x.mapped(parameter) == "" {
			missing = append(missing, parameter[strings.LastIndex(parameter, ".")+1:])
		}
	}
	if len(missing) > 0 {
		text := "Missing required request parameters: [" + strings.Join(missing, ", ") + "]"
		x.fail(answer{http.StatusBadRequest, jsonMessage(text), "BadRequestException", "BAD_REQUEST_PARAMETERS"}, text)
		return false
	}
	if err := x.validateBody(v); err != nil {
		x.fail(answer{http.StatusBadRequest, `{"message": "Invalid request body"}`, "BadRequestException", "BAD_REQUEST_BODY"}, "the body does not follow its model: "+err.Error())
		return false
	}
	return true
}

// validateBody checks the body by the model for its type. A type without one
// is not checked.
func (x *exchange) validateBody(v *model.Validation) error {
	name := v.Models[mediaTypeOf(orElse(x.r.Header.Get("Content-Type"), "application/json"))]
	if name == "" {
		return nil
	}
	checked, err := x.schemas.schema(name)
	if err != nil {
		x.gateway.noteOnce("model "+x.api.Path+" "+name, "%s: the model %s is no JSON schema that can be checked: %v", x.api.Name, name, err)
		return nil
	}
	instance, err := schema.Decode(bytes.NewReader(x.body))
	if err != nil {
		return errors.New("it is no JSON")
	}
	return checked.Validate(instance)
}

// schemas are the models of an API, compiled when the first request needs one.
// Models are JSON schemas of draft 4:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html
type schemas struct {
	models   map[string]string
	compiled onceMap[*schema.Schema]
}

func (s *schemas) schema(name string) (*schema.Schema, error) {
	return s.compiled.get(name, func() (*schema.Schema, error) {
		documents := map[string]any{}
		for model, text := range s.models {
			document, err := schema.Decode(strings.NewReader(text))
			if err != nil {
				return nil, err
			}
			s.resolve(document, document)
			documents[modelURL(model)] = document
		}
		return schema.Compile(documents, modelURL(name))
	})
}

const modelScheme = "model:///"

func modelURL(name string) string { return modelScheme + url.PathEscape(name) }

// resolve has references to other models name them as modelURL does. They are
// written as an address of API Gateway, or as a part of an OpenAPI document.
func (s *schemas) resolve(root, at any) {
	switch v := at.(type) {
	case []any:
		for _, element := range v {
			s.resolve(root, element)
		}
	case map[string]any:
		for key, element := range v {
			reference, ok := element.(string)
			if key != "$ref" || !ok {
				s.resolve(root, element)
				continue
			}
			name := reference[strings.LastIndex(reference, "/")+1:]
			foreign := strings.Contains(reference, "/models/") || strings.HasPrefix(reference, "#/components/schemas/") ||
				strings.HasPrefix(reference, "#/definitions/") && !defines(root, name)
			if _, known := s.models[name]; known && foreign {
				v[key] = modelURL(name)
			}
		}
	}
}

func defines(root any, name string) bool {
	object, _ := root.(map[string]any)
	definitions, _ := object["definitions"].(map[string]any)
	return definitions[name] != nil
}
