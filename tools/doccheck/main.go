// Command doccheck runs the commands in the documentation. It starts a gateway and a
// simulator on free ports, runs every sh and console block of README.md and docs/*.md
// against them, and compares the output with the output block that follows, if there is
// one. Then it runs the programs in callers/: those that are written for Audian's API and
// differ only in the base URL, and those that the pages quote.
//
// Attributes of a block's info string:
//
//	watch            the commands stream; they are stopped after a few seconds
//	norun reason="…" the block cannot run here; it is only counted
//	file="…"         the block quotes this file, which must contain its code
//
// Usage, at the top of the repository:
//
//	go run ./tools/doccheck
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "doccheck:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	blocks, err := readPages(".")
	if err != nil {
		return err
	}
	b, err := start(ctx, "none", os.Stderr)
	if err != nil {
		return err
	}
	defer b.stop()
	sum := check(ctx, blocks, b, out)
	if sum.ran == 0 {
		return errors.New("no block ran: this is not the root of the repository")
	}
	sum.add(checkCallers(ctx, out))
	_, _ = fmt.Fprintf(out, "\n%s\n", &sum)
	if sum.failed > 0 || sum.skipped > 0 && os.Getenv("CI") == "true" {
		return fmt.Errorf("%d failed, %d skipped", sum.failed, sum.skipped)
	}
	return nil
}

// tally counts the results of blocks and callers.
type tally struct{ ran, quoted, norun, skipped, failed int }

func (t *tally) add(other tally) {
	t.ran += other.ran
	t.quoted += other.quoted
	t.norun += other.norun
	t.skipped += other.skipped
	t.failed += other.failed
}

func (t *tally) String() string {
	return fmt.Sprintf("%d ran, %d quoted, %d not run, %d skipped, %d failed",
		t.ran, t.quoted, t.norun, t.skipped, t.failed)
}

// check runs the blocks in the order of the pages.
func check(ctx context.Context, blocks []block, b *environment, out io.Writer) tally {
	var t tally
	for _, one := range blocks {
		var err error
		switch {
		case one.norun && one.reason == "":
			err = errors.New("norun needs a reason")
		case one.norun:
			t.norun++
			_, _ = fmt.Fprintf(out, "norun  %s: %s\n", one.where, one.reason)
			continue
		case one.file != "":
			t.quoted++
			err = one.checkQuote(".")
		default:
			t.ran++
			err = one.run(ctx, b)
		}
		if err != nil {
			t.failed++
			_, _ = fmt.Fprintf(out, "FAIL   %s: %v\n", one.where, err)
			continue
		}
		_, _ = fmt.Fprintf(out, "ok     %s\n", one.where)
	}
	return t
}
