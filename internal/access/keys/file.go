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
	"strings"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/participant"
)

// Entry is one caller's line in the file.
type Entry struct {
	Name string
	// Rights are those the line grants.
	Rights access.Rights
	Hash   Hash
}

// validName has no character that means something in the file.
var validName = regexp.MustCompile(`^[A-Za-z0-9_.@~-]{1,128}$`)

// NewEntry is the entry of a caller without a key yet. No conference means all.
func NewEntry(name, role string, conferences []string) (Entry, error) {
	known, isRole := access.ParseRole(role)
	switch {
	case !validName.MatchString(name) || name == "." || name == "..":
		return Entry{}, fmt.Errorf("the name must be 1 to 128 of A-Z a-z 0-9 _ . @ ~ - but is %q", name)
	case !isRole:
		return Entry{}, fmt.Errorf("the role must be reader or writer but is %q", role)
	}
	for _, conference := range conferences {
		if !participant.ValidID(conference) {
			return Entry{}, fmt.Errorf("a conference must be an id but is %q", conference)
		}
	}
	return Entry{Name: name, Rights: access.Rights{Role: known, Conferences: conferences}}, nil
}

// The words of the file.
const (
	// header is the first line: the format and its version.
	header = "participant-gateway-keys 1"
	// everywhere stands for all conferences. It is said, so that no line that was cut
	// off grants more than it did whole.
	everywhere = "*"
	algorithm  = "sha256:"
	comment    = "#"
)

// fields of a line are its name, role, conferences and hash.
const fields = 4

// maxSize is the most bytes that a file may hold: some thousand callers.
const maxSize = 1 << 20

// Parse reads a file's content: a header line with the version, then a line for each
// caller, blank lines and lines that start with #. It is strict: what it does not
// understand is an error, and so is a name or a key in two lines.
func Parse(content []byte) ([]Entry, error) {
	lines, err := split(content)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	taken := map[string]bool{}
	for number, line := range lines {
		if isBlank(line) {
			continue
		}
		entry, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number+1, err)
		}
		hash := string(entry.Hash[:])
		if taken[entry.Name] || taken[algorithm+hash] {
			return nil, fmt.Errorf("line %d: the name or the key of %q is in an earlier line too", number+1, entry.Name)
		}
		taken[entry.Name], taken[algorithm+hash] = true, true
		entries = append(entries, entry)
	}
	return entries, nil
}

// split gives the lines, the header blanked, so that indices tell line numbers.
func split(content []byte) ([]string, error) {
	if len(content) > maxSize {
		return nil, fmt.Errorf("the file is longer than %d bytes", maxSize)
	}
	whole, ended := bytes.CutSuffix(content, []byte("\n"))
	if !ended {
		return nil, errors.New("the last line has no end: was the file cut off?")
	}
	lines := strings.Split(string(whole), "\n")
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
	words := strings.Fields(line)
	if len(words) != fields {
		return Entry{}, fmt.Errorf("want NAME ROLE CONFERENCES HASH, got %d words", len(words))
	}
	conferences, err := parseConferences(words[2])
	if err != nil {
		return Entry{}, err
	}
	entry, err := NewEntry(words[0], words[1], conferences)
	if err != nil {
		return Entry{}, err
	}
	digits, isHash := strings.CutPrefix(words[3], algorithm)
	hash, err := hex.DecodeString(digits)
	if !isHash || err != nil || len(hash) != len(entry.Hash) {
		// It may be a key that was put there by hand: it is not shown.
		return Entry{}, fmt.Errorf("the hash of %q must be %s and 64 hexadecimal digits", entry.Name, algorithm)
	}
	entry.Hash = Hash(hash)
	return entry, nil
}

// parseConferences reads the conferences of a line; nil is all. Within ids the characters
// that the file gives a meaning are percent-encoded, as in a URL.
func parseConferences(word string) ([]string, error) {
	if word == everywhere {
		return nil, nil
	}
	var conferences []string
	for encoded := range strings.SplitSeq(word, ",") {
		id, err := url.PathUnescape(encoded)
		if err != nil || encoded == everywhere {
			return nil, fmt.Errorf("a conference must be an id, percent-encoded, but is %q", encoded)
		}
		conferences = append(conferences, id)
	}
	return conferences, nil
}

func formatConferences(conferences []string) string {
	if len(conferences) == 0 {
		return everywhere
	}
	encoded := make([]string, len(conferences))
	for i, id := range conferences {
		encoded[i] = url.PathEscape(id)
	}
	return strings.Join(encoded, ",")
}

// line is the entry as the file has it.
func (e Entry) line() string {
	conferences := formatConferences(e.Rights.Conferences)
	return strings.Join([]string{e.Name, e.Rights.Role.String(), conferences, algorithm + hex.EncodeToString(e.Hash[:])}, " ")
}

// read reads a file's content, no more than a file may hold and a byte.
func read(file string) ([]byte, error) {
	opened, err := os.Open(file) //nolint:gosec // Which file is the operator's to say.
	if err != nil {
		return nil, err //nolint:wrapcheck // It names the file and the failure.
	}
	defer func() { _ = opened.Close() }() // It was only read.
	content, err := io.ReadAll(io.LimitReader(opened, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return content, nil
}
