package filewatch_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/filewatch"
)

// harness watches two files in virtual time; a file with "broken" cannot be loaded.
type harness struct {
	t       *testing.T
	a, b    string
	loaded  []string
	log     bytes.Buffer
	watcher *filewatch.Watcher
}

func watch(t *testing.T, test func(h *harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		h := &harness{t: t, a: filepath.Join(folder, "a"), b: filepath.Join(folder, "b")}
		h.write(h.a, "a1")
		h.write(h.b, "b1")
		var err error
		h.watcher, err = filewatch.Open(h.options())
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go h.watcher.Run(ctx)
		test(h)
	})
}

func (h *harness) options() filewatch.Options {
	return filewatch.Options{
		Name: "test files", Paths: []string{h.a, "", h.b}, Read: os.ReadFile, Load: h.load,
		Consequence: "a warning", Logger: slog.New(slog.NewTextHandler(&h.log, nil)),
	}
}

func (h *harness) load(contents [][]byte) ([]slog.Attr, error) {
	if contents[1] != nil {
		h.t.Errorf("an empty path has content %q", contents[1])
	}
	text := string(contents[0]) + string(contents[2])
	if strings.Contains(text, "broken") {
		return nil, errors.New("it is broken")
	}
	h.loaded = append(h.loaded, text)
	return []slog.Attr{slog.Int("size", len(text))}, nil
}

func (h *harness) write(file, content string) {
	h.t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// wait lets time pass, and the polls in it end.
func (h *harness) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// expect compares the loaded contents, and how often the log contains a text.
func (h *harness) expect(loaded string, times int, text string) {
	h.t.Helper()
	if got := strings.Join(h.loaded, " "); got != loaded {
		h.t.Errorf("loaded %q, want %q", got, loaded)
	}
	if got := strings.Count(h.log.String(), text); got != times {
		h.t.Errorf("logged %d times, want %d: %s\n%s", got, times, text, &h.log)
	}
}

func TestChangedFilesAreLoadedOnce(t *testing.T) {
	watch(t, func(h *harness) {
		h.wait(10 * time.Second)
		h.expect("a1b1", 0, "level=")
		h.write(h.b, "b2")
		h.wait(10 * time.Second)
		h.expect("a1b1 a1b2", 1, `level=INFO msg="files reloaded" files="test files" size=4`)
	})
}

func TestUnusableFilesKeepTheLastGoodContentAndAreLoggedEachMinute(t *testing.T) {
	for name, damage := range map[string]func(h *harness) error{
		"broken":  func(h *harness) error { return os.WriteFile(h.b, []byte("broken"), 0o600) },
		"removed": func(h *harness) error { return os.Remove(h.b) },
	} {
		t.Run(name, func(t *testing.T) {
			watch(t, func(h *harness) {
				if err := damage(h); err != nil {
					t.Fatal(err)
				}
				h.wait(3*time.Minute - 2*time.Second)
				h.expect("a1b1", 3, `level=ERROR msg="files cannot be used: the last good content stays in force" files="test files" consequence="a warning"`)
				if h.watcher.Usable() {
					t.Error("the files count as usable")
				}
				h.write(h.b, "b1")
				h.wait(2 * time.Second)
				h.expect("a1b1", 1, `level=INFO msg="files can be used again"`)
				if !h.watcher.Usable() {
					t.Error("the files count as unusable after the repair")
				}
			})
		})
	}
}

func TestANewErrorIsLoggedAtOnce(t *testing.T) {
	watch(t, func(h *harness) {
		h.write(h.b, "broken")
		h.wait(2 * time.Second)
		if err := os.Remove(h.b); err != nil {
			t.Fatal(err)
		}
		h.wait(2 * time.Second)
		h.expect("a1b1", 2, "level=ERROR")
		h.write(h.b, "b2")
		h.wait(2 * time.Second)
		h.expect("a1b1 a1b2", 1, `msg="files reloaded"`)
	})
}

func TestOpenNeedsUsableFiles(t *testing.T) {
	folder := t.TempDir()
	h := &harness{t: t, a: filepath.Join(folder, "a"), b: filepath.Join(folder, "b")}
	h.write(h.a, "broken")
	if _, err := filewatch.Open(h.options()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a file: got %v", err)
	}
	h.write(h.b, "b1")
	if _, err := filewatch.Open(h.options()); err == nil || err.Error() != "it is broken" {
		t.Errorf("with a broken file: got %v", err)
	}
}
