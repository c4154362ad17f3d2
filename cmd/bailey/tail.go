package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge/local/events/client"
	"github.com/bailey-cdk/bailey/bridge/local/events/forks"
	"github.com/bailey-cdk/bailey/bridge/local/events/service"
	"github.com/bailey-cdk/bailey/bridge/model"
)

// tail is what bailey local tail was asked for.
type tail struct {
	eventCommand
	backlog bool
	count   int
}

func newTail() *cobra.Command {
	var t tail
	c := &cobra.Command{
		Use:   "tail [FORK]",
		Short: "Show what passes through the local event plane, live",
		Long: `Show each message as it goes from where to where: published, delivered, filtered,
consumed, failed, dead-lettered or dropped. bailey dev or start-events must run in
this folder.

FORK is the construct id or path of a fork, or of any other construct: what comes
from or goes to something in it is shown. It ends with Ctrl-C, or after --count.

--json prints an object a line.`,
		Example: `  bailey local tail
  bailey local tail OrderPlaced --backlog`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return t.run(c.Context(), strings.Join(args, "")) },
	}
	t.flags(c)
	f := c.Flags()
	f.BoolVar(&t.backlog, "backlog", false, "begin with what passed before, as far as it is remembered")
	f.IntVar(&t.count, "count", 0, "end after so many")
	return c
}

// errEnough ends a tail.
var errEnough = errors.New("enough")

func (t *tail) run(ctx context.Context, name string) error {
	app, err := t.load(ctx)
	if err != nil {
		return cannotRun(err)
	}
	var wanted map[string]bool
	if name != "" {
		if wanted = forks.ARNs(app, name); len(wanted) == 0 {
			return cannotRun(fmt.Errorf("nothing that messages pass through is below %q", name))
		}
	}
	plane, err := t.running(app)
	if err != nil {
		return cannotRun(err)
	}
	names := shortNames(app)
	shown := 0
	err = plane.Watch(ctx, t.backlog, func(n *client.Note) error {
		if wanted != nil && !wanted[n.Source] && !wanted[n.Target] {
			return nil
		}
		if err := t.show(n, names); err != nil {
			return err
		}
		if shown++; shown == t.count {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) || ctx.Err() != nil {
		return nil
	}
	return failed(err)
}

// shortNames are what people call things, by ARN.
func shortNames(app *model.Application) map[string]string {
	names := map[string]string{}
	forks.Each(app, func(id model.ID, arn string) { names[arn] = id.Name })
	return names
}

func (t *tail) show(n *client.Note, names map[string]string) error {
	if t.asJSON {
		return json.NewEncoder(os.Stdout).Encode(n)
	}
	line := n.Time.Local().Format("15:04:05.000") + " " + painted(n.What)
	if n.Source != "" {
		line += " " + nameOf(n.Source, names)
	}
	if n.Target != "" {
		line += " → " + nameOf(n.Target, names)
	}
	if n.Count > 1 {
		line += fmt.Sprintf(" (%d)", n.Count)
	}
	for _, more := range []string{n.MessageID, n.Detail, n.Body} {
		if more != "" {
			line += "  " + strings.Join(strings.Fields(more), " ")
		}
	}
	_, err := fmt.Println(line)
	return err
}

func nameOf(arn string, names map[string]string) string {
	if name := names[arn]; name != "" {
		return name
	}
	return arn[strings.LastIndexByte(arn, ':')+1:]
}

// painted is what happened, in a column of its own and in the colour that it
// deserves.
func painted(what string) string {
	text := fmt.Sprintf("%-13s", what)
	switch what {
	case service.Failed, service.Dropped, service.DeadLettered:
		return color.RedString(text)
	case service.Filtered:
		return color.YellowString(text)
	}
	return color.GreenString(text)
}
