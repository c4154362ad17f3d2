//go:build e2e

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/bailey-cdk/bailey/app/orders"
)

// testFromStack runs the functions on this machine, with Bailey's own engine,
// on the deployed table and queue: an order is placed, shown, waiting and
// fulfilled.
func (d *deployed) testFromStack(t *testing.T) {
	command := buildBailey(t)
	placed := d.invoke(t, command, "Checkout", event(t, "order.json", nil))
	if placed.StatusCode != 201 {
		t.Fatalf("Checkout answered %+v", placed)
	}
	var order struct{ ID, State string }
	if err := json.Unmarshal([]byte(placed.Body), &order); err != nil || order.ID == "" {
		t.Fatalf("the order is %s, %v", placed.Body, err)
	}
	d.wantState(t, order.ID, orders.Placed)
	if !d.isWaiting(t, command, order.ID) {
		t.Error("the order that was placed is not waiting")
	}
	if n := d.messages(t); n != 1 {
		t.Errorf("there are %d messages in the deployed queues, want one", n)
	}
	show := event(t, "order.json", map[string]any{"routeKey": "GET /orders/{id}", "pathParameters": map[string]any{"id": order.ID}})
	if shown := d.invoke(t, command, "Checkout", show); shown.StatusCode != 200 || !strings.Contains(shown.Body, order.ID) {
		t.Errorf("Checkout shows %+v", shown)
	}
	body, _ := json.Marshal(map[string]string{"orderId": order.ID})
	d.invoke(t, command, "Fulfilment", event(t, "fulfilment.json", map[string]any{"Records": []any{map[string]any{"messageId": "m", "body": string(body)}}}))
	d.wantState(t, order.ID, orders.Fulfilled)
	if d.isWaiting(t, command, order.ID) {
		t.Error("the order that is fulfilled is still waiting")
	}
}

// wantState reads an order out of the deployed table.
func (d *deployed) wantState(t *testing.T, id string, want orders.State) {
	t.Helper()
	got, err := dynamodb.NewFromConfig(d.config).GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String(d.id(t, "Orders")), Key: map[string]types.AttributeValue{orders.Key: &types.AttributeValueMemberS{Value: id}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if state, _ := got.Item["state"].(*types.AttributeValueMemberS); state == nil || state.Value != string(want) {
		t.Errorf("the deployed table has the order %v, want it %s", got.Item, want)
	}
}

// messages counts those in the deployed queue and, since the emulator offers
// them to a function that it can't run, those in its dead-letter queue.
func (d *deployed) messages(t *testing.T) int {
	t.Helper()
	count := 0
	for _, name := range []string{"Placed", "PlacedDeadLetterQueue"} {
		got, err := sqs.NewFromConfig(d.config).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
			QueueUrl: aws.String(d.id(t, name)), AttributeNames: []sqstypes.QueueAttributeName{"All"},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, attribute := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"} {
			n, err := strconv.Atoi(got.Attributes[attribute])
			if err != nil {
				t.Fatalf("%s: %v", attribute, err)
			}
			count += n
		}
	}
	return count
}

// response is what an HTTP function answers.
type response struct {
	StatusCode int    `json:"statusCode"`
	Body       string `json:"body"`
}

// invoke is what an HTTP function answers; see run.
func (d *deployed) invoke(t *testing.T, command, name string, event []byte) response {
	t.Helper()
	var r response
	out := d.run(t, command, name, event)
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("bailey local invoke %s answered %s: %v", name, out, err)
	}
	return r
}

// isWaiting tells whether an order is among the lines that Waiting streams.
func (d *deployed) isWaiting(t *testing.T, command, id string) bool {
	t.Helper()
	out := string(d.run(t, command, "Waiting", event(t, "waiting.json", nil)))
	if !strings.Contains(out, `"statusCode":200`) {
		t.Fatalf("Waiting answered %q", out)
	}
	return strings.Contains(out, `"id":"`+id+`"`)
}

// run runs bailey local invoke --from-stack in the emulated account.
func (d *deployed) run(t *testing.T, command, name string, event []byte) []byte {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(t.Context(), command, "local", "invoke", name, "--event", "-", "--from-stack", "--assembly", d.assembly)
	c.Dir, c.Stdin, c.Stdout, c.Stderr = root(t), bytes.NewReader(event), &stdout, &stderr
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "AWS_") {
			c.Env = append(c.Env, variable)
		}
	}
	c.Env = append(c.Env, d.variables...)
	if err := c.Run(); err != nil {
		t.Fatalf("bailey local invoke %s: %v\n%s%s", name, err, &stdout, &stderr)
	}
	if strings.Contains(stderr.String(), "warning:") {
		t.Errorf("bailey local invoke %s warns:\n%s", name, &stderr)
	}
	return stdout.Bytes()
}

// event is a file of the events folder, with members replaced.
func event(t *testing.T, file string, replaced map[string]any) []byte {
	t.Helper()
	var e map[string]any
	readJSON(t, filepath.Join("events", file), &e)
	for name, value := range replaced {
		e[name] = value
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func buildBailey(t *testing.T) string {
	t.Helper()
	command := filepath.Join(t.TempDir(), "bailey")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", command, "./cmd/bailey")
	build.Dir = root(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return command
}
