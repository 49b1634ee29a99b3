// Package audit writes the audit log: one line of JSON for each call that changes a conference
// or tries to (A15).
package audit

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/go-json-experiment/json"
)

// Stdout is the name that stands for the standard output.
const Stdout = "-"

// fileMode lets only the owner read a new file: it names people's calls.
const fileMode = 0o600

// Log is an audit log. A nil Log writes nothing.
type Log struct {
	name string
	// failed is called with each error of Write.
	failed func(error)

	mu sync.Mutex
	to io.Writer
	// torn is set while the last line in the file is incomplete.
	torn bool
}

// Open opens the file, to which lines are appended, or the standard output.
func Open(name string, failed func(error)) (*Log, error) {
	l := &Log{name: name, failed: failed, to: os.Stdout} //nolint:forbidigo // The flag asks for it.
	if name == Stdout {
		return l, nil
	}
	file, err := open(name)
	if err != nil {
		return nil, err
	}
	l.to = file
	return l, nil
}

func open(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, fileMode) //nolint:gosec // The operator chooses the file.
	if err != nil {
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	return file, nil
}

// Write writes a record at once, as one line that no other line interrupts.
func (l *Log) Write(record Record) {
	if l == nil {
		return
	}
	line, err := json.Marshal(record.safe())
	if err == nil {
		err = l.append(append(line, '\n'))
	}
	if err != nil {
		l.failed(fmt.Errorf("write the audit log: %w", err))
	}
}

func (l *Log) append(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.torn {
		line = append([]byte{'\n'}, line...)
	}
	written, err := l.to.Write(line)
	if written > 0 {
		l.torn = written < len(line)
	}
	return err //nolint:wrapcheck // Write wraps it.
}

// Reopen opens the file under its name again, after a rotation has renamed it. After an error
// the log keeps the file that it has.
func (l *Log) Reopen() error {
	if l == nil || l.name == Stdout {
		return nil
	}
	file, err := open(l.name)
	if err != nil {
		return err
	}
	l.mu.Lock()
	before := l.to
	l.to, l.torn = file, false
	l.mu.Unlock()
	return closeWriter(before)
}

// Close closes the file. Later writes fail.
func (l *Log) Close() error {
	if l == nil || l.name == Stdout {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return closeWriter(l.to)
}

func closeWriter(w io.Writer) error {
	closer, ok := w.(io.Closer)
	if !ok {
		return nil
	}
	if err := closer.Close(); err != nil {
		return fmt.Errorf("close the audit log: %w", err)
	}
	return nil
}
