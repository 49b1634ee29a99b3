// Package filewatch loads files, and loads them again when their content changes. A
// file that cannot be loaded changes nothing: the last good content stays in force.
package filewatch

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"
)

// Options are the files and how to load them.
type Options struct {
	// Name describes the files in the log, such as "keys file".
	Name string
	// Paths are the files, which are loaded together. An empty path is skipped.
	Paths []string
	// Read reads one file. Its error names the file.
	Read func(path string) ([]byte, error)
	// Load parses and applies the contents, in the order of Paths; nil for an empty path.
	// The attributes describe the result in the log. An error must change nothing.
	Load func(contents [][]byte) ([]slog.Attr, error)
	// Consequence describes for the log what it means that old content stays in force.
	Consequence string
	Logger      *slog.Logger
}

// Watcher watches files.
type Watcher struct {
	options Options
	logger  *slog.Logger
	// unusable is true while the files differ from the content in force.
	unusable atomic.Bool

	// The fields below belong to Run. loaded is the content in force.
	loaded [][]byte
	// lastError is the last error in the log, and loggedAt its time.
	lastError string
	loggedAt  time.Time
}

const (
	// interval is the time between two reads. Comparing the content works for files that
	// are written in place, renamed into place, and mounted behind symbolic links, where
	// file notifications and modification times do not.
	interval = time.Second
	// errorInterval is the time between two logs of the same error.
	errorInterval = time.Minute
)

// Open loads the files for the first time.
func Open(options Options) (*Watcher, error) {
	w := &Watcher{options: options, logger: options.Logger.With(slog.String("files", options.Name))}
	contents, err := w.read()
	if err != nil {
		return nil, err
	}
	if _, err := options.Load(contents); err != nil {
		return nil, err
	}
	w.loaded = contents
	return w, nil
}

// Run loads the files when they change, until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			w.poll(ctx)
		}
	}
}

// Usable reports whether the files could be loaded when they were last read.
func (w *Watcher) Usable() bool { return !w.unusable.Load() }

func (w *Watcher) poll(ctx context.Context) {
	contents, err := w.read()
	changed := err == nil && !slices.EqualFunc(contents, w.loaded, bytes.Equal)
	var attrs []slog.Attr
	if changed {
		attrs, err = w.options.Load(contents)
	}
	switch {
	case err != nil:
		w.failed(ctx, err)
	case changed:
		w.loaded = contents
		w.recovered()
		w.logger.LogAttrs(ctx, slog.LevelInfo, "files reloaded", attrs...)
	case w.recovered():
		w.logger.LogAttrs(ctx, slog.LevelInfo, "files can be used again")
	}
}

func (w *Watcher) read() ([][]byte, error) {
	contents := make([][]byte, len(w.options.Paths))
	for i, path := range w.options.Paths {
		if path == "" {
			continue
		}
		content, err := w.options.Read(path)
		if err != nil {
			return nil, err
		}
		contents[i] = content
	}
	return contents, nil
}

// recovered notes that the files are good, and reports whether they were not before.
func (w *Watcher) recovered() bool {
	w.lastError = ""
	return w.unusable.Swap(false)
}

// failed logs an error, and again each minute while it lasts.
func (w *Watcher) failed(ctx context.Context, err error) {
	w.unusable.Store(true)
	now := time.Now()
	if w.lastError == err.Error() && now.Sub(w.loggedAt) < errorInterval {
		return
	}
	w.lastError, w.loggedAt = err.Error(), now
	w.logger.LogAttrs(ctx, slog.LevelError, "files cannot be used: the last good content stays in force",
		slog.String("consequence", w.options.Consequence), slog.String("error", w.lastError))
}
