package deployed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// MissingError says that a stack is not deployed.
type MissingError struct {
	Stack, Region string
	// Existing are the stacks that are, as far as they could be listed.
	Existing []string
}

// shownStacks bounds how many of the existing stacks a message names.
const shownStacks = 10

func (e *MissingError) Error() string {
	text := fmt.Sprintf("--from-stack: stack %s is not deployed in %s", e.Stack, e.Region)
	switch n := len(e.Existing); {
	case n == 0:
		return text
	case n > shownStacks:
		return fmt.Sprintf("%s; there are: %s and %d more", text, strings.Join(e.Existing[:shownStacks], ", "), n-shownStacks)
	}
	return text + "; there are: " + strings.Join(e.Existing, ", ")
}

// CredentialsError says that no AWS credentials were found.
type CredentialsError struct{ err error }

func (e *CredentialsError) Error() string {
	return fmt.Sprintf("--from-stack: no AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or log in with aws sso login (%v)", lastCause(e.err))
}

func (e *CredentialsError) Unwrap() error { return e.err }

// doesNotExist recognises CloudFormation's answer for an unknown stack.
func doesNotExist(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist")
}

// The codes by which AWS refuses whose keys are wrong, or who may not.
var (
	refusedKeys = []string{
		"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
		"SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "AuthFailure", "RequestExpired",
	}
	refusedActions = []string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "Forbidden"}
)

// explain says in one line what went wrong, and what would help.
func explain(err error, region string) error {
	var profile config.SharedConfigProfileNotExistError
	var api smithy.APIError
	var network net.Error
	var sending *smithyhttp.RequestSendError
	switch {
	case errors.As(err, &profile):
		return fmt.Errorf("--from-stack: the AWS configuration has no profile %s", profile.Profile)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("--from-stack: CloudFormation in %s did not answer in time: %w", region, lastCause(err))
	case errors.As(err, &api) && slices.Contains(refusedActions, api.ErrorCode()):
		return fmt.Errorf("--from-stack: access denied: %s; it needs cloudformation:DescribeStacks, cloudformation:ListStackResources and cloudformation:ListExports", api.ErrorMessage())
	case errors.As(err, &api) && slices.Contains(refusedKeys, api.ErrorCode()):
		return fmt.Errorf("--from-stack: AWS does not take the credentials: %s: %s", api.ErrorCode(), api.ErrorMessage())
	case errors.As(err, &api):
		return fmt.Errorf("--from-stack: CloudFormation in %s answers %s: %s", region, api.ErrorCode(), api.ErrorMessage())
	case errors.As(err, &sending), errors.As(err, &network):
		return fmt.Errorf("--from-stack: CloudFormation in %s can't be reached: %w; is there a network, and is AWS_ENDPOINT_URL right where it is set?", region, lastCause(err))
	}
	return fmt.Errorf("--from-stack: %w", err)
}

// lastCause is the innermost error: those around it say which part of the SDK
// handed it on.
func lastCause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		var network *net.OpError
		if errors.As(err, &network) {
			return network
		}
		err = inner
	}
}
