package fork_test

import (
	"testing"

	"github.com/bailey-cdk/bailey/internal/fork"
)

func TestDeadLetters(t *testing.T) {
	d := fork.DeadLetters{QueueARN: "arn:aws:sqs:eu-west-1:1:q", URL: "https://sqs/1/dead", MaxReceiveCount: 5}
	got, err := fork.DeadLettersFrom([]string{"HOME=/", "DEAD_LETTERS_Checkout=" + d.String(), "DEAD_LETTERSX=1"})
	if err != nil || len(got) != 1 || got[d.QueueARN] != d {
		t.Errorf("got %v, %v", got, err)
	}
	for _, value := range []string{"", "a b", "a b c", "a b 0", "a b 1 c"} {
		if _, err := fork.DeadLettersFrom([]string{"DEAD_LETTERS_X=" + value}); err == nil {
			t.Errorf("%q is read", value)
		}
	}
}

func TestBranches(t *testing.T) {
	for _, b := range []fork.Branch{
		{Name: "Checkout", DeadLettersARN: "arn", Queue: "https://sqs/1/q"},
		{Name: "Archive", DeadLettersARN: "arn", Stream: "s"},
		{Name: "Masked", DeadLettersARN: "arn", Queue: "https://sqs/1/q", Stream: "s"},
	} {
		got, err := fork.BranchesFrom([]string{"BRANCH_1=" + b.String(), "OTHER=x"})
		if err != nil || len(got) != 1 || got[0] != b {
			t.Errorf("got %v, %v", got, err)
		}
	}
	for _, value := range []string{"", "a b", "a b queue", "a b queue q stream", "a b topic t"} {
		if _, err := fork.BranchesFrom([]string{"BRANCH_1=" + value}); err == nil {
			t.Errorf("%q is read", value)
		}
	}
}

func TestRequired(t *testing.T) {
	t.Setenv("BUCKET", "b")
	if got, err := fork.Required("BUCKET"); got != "b" || err != nil {
		t.Error(got, err)
	}
	if _, err := fork.Required("NOT_SET_AT_ALL"); err == nil {
		t.Error("an unset variable is no error")
	}
}
