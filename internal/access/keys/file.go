package keys

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/participant"
)

// Entry is the line of one caller in the file.
type Entry struct {
	Name   string
	Rights access.Rights
	// Hash is the hash of the caller's key.
	Hash Hash
	// Disabled is why the key is not accepted; empty if it is.
	Disabled string
}

// validName excludes the characters with a meaning in the file.
var validName = regexp.MustCompile(`^[A-Za-z0-9_.@~-]{1,128}$`)

// NewEntry returns an entry without a key. No conference means all.
func NewEntry(name, role string, conferences []string) (Entry, error) {
	parsed, isRole := access.ParseRole(role)
	switch {
	case !validName.MatchString(name) || name == "." || name == "..":
		return Entry{}, fmt.Errorf("the name must be 1 to 128 of A-Z a-z 0-9 _ . @ ~ - but is %q", name)
	case !isRole:
		return Entry{}, fmt.Errorf("the role must be viewer, reader or writer but is %q", role)
	}
	for _, conference := range conferences {
		if !participant.ValidID(conference) {
			return Entry{}, fmt.Errorf("a conference must be an id but is %q", conference)
		}
	}
	return Entry{Name: name, Rights: access.Rights{Role: parsed, Conferences: conferences}}, nil
}

// The syntax of the file.
const (
	// header is the first line: the format and its version.
	header = "participant-gateway-keys 1"
	// allConferences is explicit, so that a truncated line cannot grant more than the
	// complete one.
	allConferences = "*"
	algorithm      = "sha256:"
	comment        = "#"
)

// fields is the number of fields that each line has: name, role, conferences and hash. Options
// follow, each NAME=VALUE.
const fields = 4

// maxSize is the maximum size of a file in bytes, enough for thousands of callers.
const maxSize = 1 << 20

// Parse parses the content of a file: a header line with the version, then lines of
// callers, blank lines, and comments that start with #. Anything else is an error, and
// so is a name or a hash in two lines. An option that cannot be read disables its caller alone:
// without it the caller might get more than was meant.
func Parse(content []byte) ([]Entry, error) {
	lines, err := split(content)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	seen := map[string]bool{}
	for number, line := range lines {
		if isBlank(line) {
			continue
		}
		entry, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number+1, err)
		}
		hash := string(entry.Hash[:])
		if seen[entry.Name] || seen[algorithm+hash] {
			return nil, fmt.Errorf("line %d: the name or the key of %q is in an earlier line too", number+1, entry.Name)
		}
		seen[entry.Name], seen[algorithm+hash] = true, true
		entries = append(entries, entry)
	}
	return entries, nil
}

// split returns the lines. The header becomes empty, so that indices match line numbers.
func split(content []byte) ([]string, error) {
	if len(content) > maxSize {
		return nil, fmt.Errorf("the file is longer than %d bytes", maxSize)
	}
	text, ended := bytes.CutSuffix(content, []byte("\n"))
	if !ended {
		return nil, errors.New("the last line has no line break: is the file truncated?")
	}
	lines := strings.Split(string(text), "\n")
	if strings.TrimSpace(lines[0]) != header {
		return nil, fmt.Errorf("line 1: want %q", header)
	}
	lines[0] = ""
	return lines, nil
}

func isBlank(line string) bool {
	trimmed := strings.TrimSpace(line)
	return trimmed == "" || strings.HasPrefix(trimmed, comment)
}

func parseLine(line string) (Entry, error) {
	values := strings.Fields(line)
	if len(values) < fields {
		return Entry{}, fmt.Errorf("want NAME ROLE CONFERENCES HASH, got %d fields", len(values))
	}
	conferences, err := parseConferences(values[2])
	if err != nil {
		return Entry{}, err
	}
	entry, err := NewEntry(values[0], values[1], conferences)
	if err != nil {
		return Entry{}, err
	}
	digits, isHash := strings.CutPrefix(values[3], algorithm)
	hash, err := hex.DecodeString(digits)
	if !isHash || err != nil || len(hash) != len(entry.Hash) {
		// The value may be a key that someone put there: do not show it.
		return Entry{}, fmt.Errorf("the hash of %q must be %s and 64 hexadecimal digits", entry.Name, algorithm)
	}
	entry.Hash = Hash(hash)
	entry.Rights.Calling, err = parseCalling(values[fields:])
	if err != nil {
		entry.Disabled = err.Error()
	}
	return entry, nil
}

// parseConferences parses the conferences of a line; nil is all. Ids are percent-encoded
// as in a URL.
func parseConferences(value string) ([]string, error) {
	if value == allConferences {
		return nil, nil
	}
	var conferences []string
	for encoded := range strings.SplitSeq(value, ",") {
		id, err := url.PathUnescape(encoded)
		if err != nil || encoded == allConferences {
			return nil, fmt.Errorf("a conference must be an id, percent-encoded, but is %q", encoded)
		}
		conferences = append(conferences, id)
	}
	return conferences, nil
}

func formatConferences(conferences []string) string {
	if len(conferences) == 0 {
		return allConferences
	}
	encoded := make([]string, len(conferences))
	for i, id := range conferences {
		encoded[i] = url.PathEscape(id)
	}
	return strings.Join(encoded, ",")
}

// line returns the entry as a line of the file.
func (e Entry) line() string {
	conferences := formatConferences(e.Rights.Conferences)
	values := []string{e.Name, e.Rights.Role.String(), conferences, algorithm + hex.EncodeToString(e.Hash[:])}
	return strings.Join(slices.Concat(values, formatCalling(e.Rights.Calling)), " ")
}

// read reads a file up to one byte more than the maximum size.
func read(file string) ([]byte, error) {
	opened, err := os.Open(file) //nolint:gosec // The operator chooses the file.
	if err != nil {
		return nil, err //nolint:wrapcheck // It names the file and the failure.
	}
	defer func() { _ = opened.Close() }() // It was only open for reading.
	content, err := io.ReadAll(io.LimitReader(opened, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return content, nil
}
