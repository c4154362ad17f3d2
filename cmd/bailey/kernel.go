package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/bailey-cdk/bailey/bridge/synth/kernel"
)

func newKernel() *cobra.Command {
	c := &cobra.Command{
		Use:   "kernel",
		Short: "Look at or stop the CDK kernel that waits for the next synth",
		Long: `bailey synth keeps the CDK loaded in the background for the next synth of an app
in Go. It ends by itself after 30 minutes without one; BAILEY_KERNEL_IDLE=90s
makes that sooner, and BAILEY_KERNEL=off keeps none.`,
		Args: cobra.NoArgs,
	}
	c.AddCommand(newKernelStatus(), newKernelStop(), newKernelServe(), newKernelConnect())
	return c
}

func newKernelStatus() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Say whether a kernel waits, and for which versions",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			status, err := kernel.Ask()
			if errors.Is(err, kernel.ErrNone) {
				if asJSON {
					fmt.Println("null")
				} else {
					fmt.Println("no kernel is kept; bailey synth starts one")
				}
				return nil
			}
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return failed(json.NewEncoder(os.Stdout).Encode(status))
			}
			printKernel(status)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON; null where no kernel is kept")
	return c
}

func printKernel(s *kernel.Status) {
	state := s.State
	if s.Error != "" {
		state += ": " + s.Error
	}
	fmt.Printf("kernel %s (process %d, keeper %d)\n", state, s.KernelPID, s.PID)
	for _, p := range s.Packages {
		fmt.Printf("  %s %s\n", p.Name, p.Version)
	}
	fmt.Printf("%d used since %s, the last request %s ago\n", s.Served, s.Started.Format(time.DateTime), time.Since(s.Idle).Round(time.Second))
}

func newKernelStop() *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "Stop the waiting kernel and what keeps it",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			err := kernel.Stop()
			if errors.Is(err, kernel.ErrNone) {
				fmt.Println("no kernel is kept")
				return nil
			}
			return failed(err)
		},
	}
}

// newKernelServe is what bailey synth starts in the background.
func newKernelServe() *cobra.Command {
	app := kernel.App{Env: os.Environ()}
	c := &cobra.Command{
		Use:    "serve --dir DIR --node NODE -- PROGRAM...",
		Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			app.Program = args
			signal.Ignore(syscall.SIGHUP)
			return failed(kernel.Serve(c.Context(), app))
		},
	}
	c.Flags().StringVar(&app.Dir, "dir", "", "")
	c.Flags().StringVar(&app.Node, "node", "", "")
	return c
}

// newKernelConnect is what jsii's client starts in place of a kernel.
func newKernelConnect() *cobra.Command {
	return &cobra.Command{
		Use:    "connect SPEC",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE:   func(_ *cobra.Command, args []string) error { return failed(kernel.Connect(args[0])) },
	}
}
