package terminal

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// bar shows the progress of a batch in one line of a terminal. It shows nothing on anything else.
type bar struct {
	out   io.Writer
	total int
	// end is when the batch is expected to end.
	end time.Time
	// shown is whether the terminal shows the line.
	shown bool
}

func newBar(process Process, total int) *bar {
	if !process.isTerminal(process.Errors) {
		return &bar{out: io.Discard, total: total}
	}
	return &bar{out: process.Errors, total: total}
}

// barSize is the number of columns of the bar itself.
const barSize = 30

// expect sets the time that the rest is expected to take.
func (b *bar) expect(left time.Duration) { b.end = time.Now().Add(left) }

// progress shows how many entries have an outcome, and how many of these failed.
func (b *bar) progress(done, failed int) {
	filled := barSize * done / max(b.total, 1)
	text := fmt.Sprintf("[%s%s] %d of %d", strings.Repeat("#", filled), strings.Repeat("-", barSize-filled), done, b.total)
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	left := max(0, time.Until(b.end)).Round(time.Second)
	b.draw(text + ", " + left.String() + " left")
}

// trouble shows why there is no progress.
func (b *bar) trouble(text string) { b.draw(clean(text)) }

func (b *bar) draw(text string) {
	b.shown = true
	_, _ = io.WriteString(b.out, "\r"+text+clearLine)
}

// clear removes the line, so that something else can be printed.
func (b *bar) clear() {
	if b.shown {
		b.shown = false
		_, _ = io.WriteString(b.out, "\r"+clearLine)
	}
}

func (b *bar) close() { b.clear() }
