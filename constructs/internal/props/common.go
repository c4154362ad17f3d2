package props

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// What constructs of several services have alike: logs, tags, and authorizers
// whose answers are kept.

// DefaultLogRetention is how long logs are kept where the props say nothing.
const DefaultLogRetention = awslogs.RetentionDays_ONE_MONTH

// retentions are what CloudWatch Logs offers.
var retentions = []awslogs.RetentionDays{
	awslogs.RetentionDays_ONE_DAY, awslogs.RetentionDays_THREE_DAYS, awslogs.RetentionDays_FIVE_DAYS,
	awslogs.RetentionDays_ONE_WEEK, awslogs.RetentionDays_TWO_WEEKS, awslogs.RetentionDays_ONE_MONTH,
	awslogs.RetentionDays_TWO_MONTHS, awslogs.RetentionDays_THREE_MONTHS, awslogs.RetentionDays_FOUR_MONTHS,
	awslogs.RetentionDays_FIVE_MONTHS, awslogs.RetentionDays_SIX_MONTHS, awslogs.RetentionDays_ONE_YEAR,
	awslogs.RetentionDays_THIRTEEN_MONTHS, awslogs.RetentionDays_EIGHTEEN_MONTHS, awslogs.RetentionDays_TWO_YEARS,
	awslogs.RetentionDays_THREE_YEARS, awslogs.RetentionDays_FIVE_YEARS, awslogs.RetentionDays_SIX_YEARS,
	awslogs.RetentionDays_SEVEN_YEARS, awslogs.RetentionDays_EIGHT_YEARS, awslogs.RetentionDays_NINE_YEARS,
	awslogs.RetentionDays_TEN_YEARS, awslogs.RetentionDays_INFINITE,
}

// CheckRetention finds a retention that CloudWatch Logs does not offer.
func CheckRetention(name string, r awslogs.RetentionDays) []string {
	if r == "" || slices.Contains(retentions, r) {
		return nil
	}
	return Messages("%s %q is none of CloudWatch's: use one of the constants awslogs.RetentionDays_ONE_DAY to _INFINITE", name, r)
}

// CheckTags finds what AWS takes for no tag.
func CheckTags(tags map[string]string) (found []string) {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		switch {
		case key == "" || len(key) > 128 || len(tags[key]) > 256:
			found = append(found, fmt.Sprintf("the tag %q is too long or empty: a key has 1 to 128 characters, a value at most 256", key))
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			found = append(found, fmt.Sprintf("the tag %q begins with aws:, which AWS keeps for itself", key))
		}
	}
	return found
}

// AddTags puts tags on a construct and what belongs to it.
func AddTags(node constructs.IConstruct, tags map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		awscdk.Tags_Of(node).Add(&key, jsii.String(tags[key]), nil)
	}
}

// ReauthorizeAlways as the time for which an authorizer's answer is kept asks it
// for each request.
const ReauthorizeAlways time.Duration = -1

// defaultKept is how long API Gateway and AppSync keep an authorizer's answer.
const defaultKept = 5 * time.Minute

// CheckKept finds a time for which no answer of an authorizer can be kept.
func CheckKept(name string, given time.Duration) []string {
	if given == 0 || given == ReauthorizeAlways {
		return nil
	}
	return DurationInRange(name, given, time.Second, time.Hour)
}

// KeptFor is how long an answer is kept, zero for not at all.
func KeptFor(given time.Duration) time.Duration {
	switch given {
	case ReauthorizeAlways:
		return 0
	case 0:
		return defaultKept
	}
	return given
}
