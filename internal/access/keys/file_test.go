package keys_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/policy"
)

const (
	header = "participant-gateway-keys 1\n"
	hashA  = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	hashB  = "sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
	hashC  = "sha256:fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13"
)

func TestParse(t *testing.T) {
	content := header + "\n# a comment\n  # another\n" +
		"desk  writer\t*  " + hashA + "\n" +
		"wall reader conf_a,conf_b " + hashB + "\r\n" +
		"hall viewer * " + hashC + "\n"
	got, err := keys.Parse([]byte(content))
	want := []keys.Entry{
		{Name: "desk", Rights: access.Rights{Role: access.Writer}, Hash: keys.HashOf("test")},
		{Name: "wall", Rights: access.Rights{Role: access.Reader, Conferences: []string{"conf_a", "conf_b"}}, Hash: keys.HashOf("test2")},
		{Name: "hall", Rights: access.Rights{Role: access.Viewer}, Hash: keys.HashOf("test3")},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	if got, err := keys.Parse([]byte(header)); err != nil || len(got) != 0 {
		t.Errorf("no callers: got %v, %v", got, err)
	}
}

func TestParseIsStrict(t *testing.T) {
	line := "desk writer * " + hashA + "\n"
	for content, want := range map[string]string{
		"":                                       "no line break",
		"\n":                                     "line 1: want",
		line:                                     "line 1: want",
		"participant-gateway-keys 2\n" + line:    "line 1: want",
		header + strings.TrimSuffix(line, "\n"):  "is the file truncated?",
		header + "desk writer " + hashA + "\n":   "line 2: want NAME ROLE CONFERENCES HASH, got 3 fields",
		header + "desk boss * " + hashA + "\n":   `line 2: the role must be viewer, reader or writer but is "boss"`,
		header + "desk Viewer * " + hashA + "\n": `but is "Viewer"`,
		header + "desk nobody * " + hashA + "\n": `but is "nobody"`,
		header + "dé writer * " + hashA + "\n":   "line 2: the name must be",
		header + "desk writer conf_a, " + hashA + "\n":      "line 2: a conference must be an id",
		header + "desk writer *,conf_a " + hashA + "\n":     "line 2: a conference must be an id",
		header + "desk writer * sha256:abcd\n":              "line 2: the hash of \"desk\" must be",
		header + "desk writer * sha512:" + hashA[7:] + "\n": "must be sha256:",
		header + "desk writer * pgk_hidden-1\n":             "must be sha256:",
		header + line + "desk reader * " + hashB + "\n":     `line 3: the name or the key of "desk"`,
		header + line + "wall reader * " + hashA + "\n":     `line 3: the name or the key of "wall"`,
		header + strings.Repeat("#\n", 1<<19):               "longer than",
	} {
		got, err := keys.Parse([]byte(content))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%.80q: got %v, %v, want %q", content, got, err, want)
		}
	}
}

// FuzzParse checks the properties of accepted content.
func FuzzParse(f *testing.F) {
	f.Add([]byte(header + "desk writer * " + hashA + "\n"))
	f.Add([]byte(header + "# x\n\nwall reader a,b " + hashB + "\n"))
	f.Add([]byte(header + "desk writer * " + hashA + " allow-prefix=+1,+44 adds-per-day=5\nwall reader * " + hashB + " colour=blue\n"))
	f.Add([]byte(header))
	f.Add([]byte("participant-gateway-keys 1\r\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		entries, err := keys.Parse(content)
		if err != nil {
			if entries != nil {
				t.Fatalf("entries with an error: %v", entries)
			}
			return
		}
		names, hashes := map[string]bool{}, map[keys.Hash]bool{}
		for _, entry := range entries {
			if names[entry.Name] || hashes[entry.Hash] {
				t.Fatalf("%q occurs twice", entry.Name)
			}
			names[entry.Name], hashes[entry.Hash] = true, true
			if _, err := keys.NewEntry(entry.Name, entry.Rights.Role.String(), entry.Rights.Conferences); err != nil {
				t.Fatalf("accepted, although %v", err)
			}
			calling := entry.Rights.Calling
			if entry.Disabled != "" && (calling.Prefixes != nil || calling.AddsPerDay != 0) {
				t.Fatalf("%q is disabled, but has a policy", entry.Name)
			}
			for _, prefix := range calling.Prefixes {
				if policy.CheckPrefix(prefix) != nil || calling.AddsPerDay < 0 {
					t.Fatalf("%q has the policy %+v", entry.Name, calling)
				}
			}
			if entry.Rights.Conferences != nil && len(entry.Rights.Conferences) == 0 {
				t.Fatalf("%q may use no conference", entry.Name)
			}
		}
	})
}
