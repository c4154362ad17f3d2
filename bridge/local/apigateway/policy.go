package apigateway

import (
	"encoding/json"
	"errors"
	"strings"
)

// verdict is what a policy says of one method.
type verdict int

const (
	implicitlyDenied verdict = iota
	allowed
	explicitlyDenied
)

// policy is the IAM policy that a Lambda authorizer answers with:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
type policy struct {
	statements []statement
}

type statement struct {
	deny                 bool
	actions, notActions  []string
	resources, notSource []string
}

func parsePolicy(raw json.RawMessage) (*policy, error) {
	var document struct {
		Statement json.RawMessage
	}
	if len(raw) == 0 || json.Unmarshal(raw, &document) != nil || len(document.Statement) == 0 {
		return nil, errors.New("its policyDocument has no Statement")
	}
	type fields struct {
		Effect                                   string
		Action, NotAction, Resource, NotResource texts
	}
	var list []fields
	if err := json.Unmarshal(document.Statement, &list); err != nil {
		list = make([]fields, 1)
		if err := json.Unmarshal(document.Statement, &list[0]); err != nil {
			return nil, errors.New("the Statement of its policyDocument is no list of statements")
		}
	}
	p := &policy{}
	for _, f := range list {
		deny := strings.EqualFold(f.Effect, "Deny")
		if !deny && !strings.EqualFold(f.Effect, "Allow") {
			return nil, errors.New("a statement of its policyDocument has the Effect \"" + f.Effect + "\"; there are Allow and Deny")
		}
		p.statements = append(p.statements, statement{deny, f.Action, f.NotAction, f.Resource, f.NotResource})
	}
	return p, nil
}

// texts is a text, or a list of them.
type texts []string

func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// evaluate says whether the method of an ARN may be invoked. Conditions are
// not looked at.
func (p *policy) evaluate(arn string) verdict {
	result := implicitlyDenied
	for _, s := range p.statements {
		if !s.matches("execute-api:Invoke", arn) {
			continue
		}
		if s.deny {
			return explicitlyDenied
		}
		result = allowed
	}
	return result
}

func (s statement) matches(action, arn string) bool {
	byAction := anyMatches(s.actions, action, true)
	if len(s.notActions) > 0 {
		byAction = !anyMatches(s.notActions, action, true)
	}
	bySource := anyMatches(s.resources, arn, false)
	if len(s.notSource) > 0 {
		bySource = !anyMatches(s.notSource, arn, false)
	}
	return byAction && bySource
}

func anyMatches(patterns []string, text string, fold bool) bool {
	for _, pattern := range patterns {
		if fold {
			pattern, text = strings.ToLower(pattern), strings.ToLower(text)
		}
		if wildcardMatch(pattern, text) {
			return true
		}
	}
	return false
}

// wildcardMatch matches "*" with any text, also across "/" and ":", and "?"
// with one character, in time that grows with the product of both lengths.
func wildcardMatch(pattern, text string) bool {
	star, mark, i, j := -1, 0, 0, 0
	for j < len(text) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, mark = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == text[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(pattern) && pattern[i] == '*' {
		i++
	}
	return i == len(pattern)
}
