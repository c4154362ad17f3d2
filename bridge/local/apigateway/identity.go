package apigateway

// identity is what the authorizer of a route found out, as events carry it.
type identity struct {
	jwt *jwtIdentity
	iam *iamIdentity
	// lambda is the context of a Lambda authorizer, principal its principalId.
	lambda    map[string]any
	principal string
	// claims are a Cognito user pool's, for a REST API.
	claims map[string]any

	apiKey, apiKeyID string
}

// jwtIdentity is requestContext.authorizer.jwt. Claims are texts.
type jwtIdentity struct {
	Claims map[string]string `json:"claims"`
	Scopes []string          `json:"scopes"`
}

// iamIdentity is requestContext.authorizer.iam.
type iamIdentity struct {
	AccessKey       string  `json:"accessKey"`
	AccountID       string  `json:"accountId"`
	CallerID        string  `json:"callerId"`
	CognitoIdentity *string `json:"cognitoIdentity"`
	PrincipalOrgID  *string `json:"principalOrgId"`
	UserARN         string  `json:"userArn"`
	UserID          string  `json:"userId"`
}

// format2 is the authorizer of payload format 2.0.
func (i *identity) format2() *authorizer2 {
	switch {
	case i.jwt != nil:
		return &authorizer2{JWT: i.jwt}
	case i.iam != nil:
		return &authorizer2{IAM: i.iam}
	case i.lambda != nil:
		return &authorizer2{Lambda: i.lambda}
	}
	return nil
}

// format1 is the authorizer of payload format 1.0 and of a REST API: the
// context of a Lambda authorizer is flat there.
func (i *identity) format1() map[string]any {
	switch {
	case i.jwt != nil:
		return map[string]any{"claims": i.jwt.Claims, "scopes": i.jwt.Scopes}
	case i.claims != nil:
		return map[string]any{"claims": i.claims}
	case i.lambda != nil || i.principal != "":
		flat := make(map[string]any, len(i.lambda)+1)
		for name, value := range i.lambda {
			flat[name] = value
		}
		if i.principal != "" {
			flat["principalId"] = i.principal
		}
		return flat
	}
	return nil
}
