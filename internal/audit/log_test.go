package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// openLog opens a log whose errors fail the test.
func openLog(t *testing.T, name string) *Log {
	t.Helper()
	l, err := Open(name, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func textOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestA15_ALineHasAllFieldsInTheirOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit")
	l := openLog(t, file)
	at := time.Date(2026, 11, 27, 13, 0, 0, 5e6, time.FixedZone("", 3600))
	l.Write(Record{Time: at, Call: "MuteAllParticipants", Dialled: DialledNo})
	l.Write(Record{
		Time: at, Caller: "+1 212 867 5309", Call: "AddParticipant", ConferenceID: "2128675309", ParticipantID: "part/1",
		PhoneNumber: "+12128675309", Outcome: "OK", Dialled: DialledYes, RequestID: "+12128675309",
		IdempotencyKey: "<+1-212-867-5309>", UpstreamRequestID: "up_1",
	})
	const want = `{"time":"2026-11-27T12:00:00.005Z","caller":"","call":"MuteAllParticipants","conference_id":"","participant_id":"","phone_number":"",` +
		`"outcome":"","reason":"","dialled":"no","request_id":"","idempotency_key":"","upstream_request_id":""}` + "\n" +
		`{"time":"2026-11-27T12:00:00.005Z","caller":"…5309","call":"AddParticipant","conference_id":"2128675309","participant_id":"invalid",` +
		`"phone_number":"+*******5309","outcome":"OK","reason":"","dialled":"yes","request_id":"…5309","idempotency_key":"<…5309>","upstream_request_id":"up_1"}` + "\n"
	if got := textOf(t, file); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
}

// TestA15_RotationLosesNoLine renames the file while several goroutines write.
func TestA15_RotationLosesNoLine(t *testing.T) {
	const writers, each, rotations = 8, 200, 5
	dir := t.TempDir()
	file := filepath.Join(dir, "audit")
	l := openLog(t, file)
	var writing sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for range each {
				l.Write(Record{Call: strings.Repeat("x", 5000)})
			}
		})
	}
	for i := range rotations {
		if err := os.Rename(file, file+string(rune('a'+i))); err != nil {
			t.Fatal(err)
		}
		if err := l.Reopen(); err != nil {
			t.Error(err)
		}
	}
	writing.Wait()
	l.Write(Record{Call: "last"})
	if text := textOf(t, file); !strings.Contains(text, `"last"`) {
		t.Error("the new file lacks the last line")
	}
	files, _ := filepath.Glob(file + "*")
	lines := 0
	for _, name := range files {
		for line := range strings.Lines(textOf(t, name)) {
			lines++
			if !json.Valid([]byte(line)) || !strings.HasSuffix(line, "\n") {
				t.Fatalf("the line %.80q is torn", line)
			}
		}
	}
	if lines != writers*each+1 || len(files) != rotations+1 {
		t.Errorf("got %d lines in %d files", lines, len(files))
	}
}

func TestA15_AFailedReopenKeepsTheFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l := openLog(t, filepath.Join(dir, "audit"))
	if err := os.Rename(dir, dir+"2"); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err == nil {
		t.Error("no error")
	}
	l.Write(Record{Call: "kept"})
	if text := textOf(t, filepath.Join(dir+"2", "audit")); !strings.Contains(text, `"kept"`) {
		t.Errorf("got %q", text)
	}
}

var errFull = errors.New("full")

// smallDevice takes so many bytes.
type smallDevice struct {
	bytes.Buffer

	left int
}

func (d *smallDevice) Write(p []byte) (int, error) {
	taken := min(len(p), d.left)
	d.left -= taken
	written, _ := d.Buffer.Write(p[:taken])
	if taken < len(p) {
		return written, errFull
	}
	return written, nil
}

// TestA15_ALineAfterATornOneIsWhole writes to a device that becomes full within a line.
func TestA15_ALineAfterATornOneIsWhole(t *testing.T) {
	device := &smallDevice{left: 300}
	var failures []error
	l := &Log{to: device, failed: func(err error) { failures = append(failures, err) }}
	for range 3 {
		l.Write(Record{Call: "torn"})
	}
	device.left = 1 << 20
	l.Write(Record{Call: "whole"})
	l.Write(Record{Call: "next"})
	if len(failures) != 2 || !errors.Is(failures[0], errFull) {
		t.Errorf("got the errors %v", failures)
	}
	lines := strings.Split(device.String(), "\n")
	if len(lines) != 5 || !json.Valid([]byte(lines[2])) || !json.Valid([]byte(lines[3])) {
		t.Errorf("got %q", lines)
	}
}

func TestA15_AFileThatCannotBeOpened(t *testing.T) {
	for _, name := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none", "audit")} {
		if l, err := Open(name, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, %v", name, l, err)
		}
	}
}

func TestA15_WithoutAnAuditLogNothingIsWritten(t *testing.T) {
	var none *Log
	none.Write(Record{})
	if none.Reopen() != nil || none.Close() != nil {
		t.Error("it fails")
	}
}
