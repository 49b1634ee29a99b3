// Command gotest runs `go test` and says at the end how many tests passed, failed
// and were skipped. Of a test that passed it prints nothing. With CI=true in the
// environment a skipped test is a failure: there, everything it needs must exist.
//
// Usage:
//
//	gotest [GO TEST FLAGS] PACKAGES
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	sum, err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
	}
	fmt.Printf("\n%d passed, %d failed, %d skipped\n", sum.passed, sum.failed, sum.skipped)
	if err != nil || sum.failed > 0 {
		os.Exit(1)
	}
	if sum.skipped > 0 && os.Getenv("CI") == "true" {
		fmt.Println("FAIL: no test may be skipped in CI")
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (*summary, error) {
	sum := newSummary(out)
	test := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, args...)...)
	test.Stderr = os.Stderr
	events, err := test.StdoutPipe()
	if err != nil {
		return sum, fmt.Errorf("open a pipe: %w", err)
	}
	if err := test.Start(); err != nil {
		return sum, fmt.Errorf("start go test: %w", err)
	}
	err = read(events, sum)
	return sum, errors.Join(err, ended(test.Wait(), sum))
}

// ended is nil where the summary tells already why go test failed.
func ended(err error, sum *summary) error {
	if err == nil || sum.failed > 0 {
		return nil
	}
	return fmt.Errorf("go test: %w", err)
}

func read(events io.Reader, sum *summary) error {
	decoder := jsontext.NewDecoder(events)
	for {
		var e event
		switch err := json.UnmarshalDecode(decoder, &e); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			_, _ = io.Copy(io.Discard, events) // So that go test can end.
			return fmt.Errorf("read go test's events: %w", err)
		}
		sum.add(e)
	}
}
