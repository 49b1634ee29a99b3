// Command doccheck runs what the documentation tells its readers to type. It starts
// a gateway and a simulator on free ports, runs every sh and console block of
// README.md and docs/*.md against them, and compares what comes out with the output
// block that follows, if one does. Then it runs the programs of callers/, written as
// callers of the vendor's API write theirs, with nothing changed but the base URL.
//
// Of a block's info string it heeds:
//
//	watch            the commands stream: they are ended after a few seconds
//	norun reason="…" the block cannot run here; it is counted
//	file="…"         a go block that quotes this file word for word
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
		return errors.New("no block ran: are these the pages?")
	}
	sum.add(checkCallers(ctx, out))
	_, _ = fmt.Fprintf(out, "\n%s\n", &sum)
	if sum.failed > 0 || sum.skipped > 0 && os.Getenv("CI") == "true" {
		return fmt.Errorf("%d failed, %d skipped", sum.failed, sum.skipped)
	}
	return nil
}

// tally counts what became of blocks and callers.
type tally struct{ ran, quoted, norun, skipped, failed int }

func (t *tally) add(other tally) {
	t.ran += other.ran
	t.quoted += other.quoted
	t.norun += other.norun
	t.skipped += other.skipped
	t.failed += other.failed
}

func (t *tally) String() string {
	return fmt.Sprintf("%d ran, %d quoted, %d not to be run here, %d skipped, %d failed",
		t.ran, t.quoted, t.norun, t.skipped, t.failed)
}

// check runs the blocks in the order of the pages.
func check(ctx context.Context, blocks []block, b *bench, out io.Writer) tally {
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
		case one.language == "go":
			t.quoted++
			err = one.quotes(".")
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
