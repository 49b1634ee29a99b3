package keys

import (
	"slices"
	"strings"
	"testing"
)

// An id may hold what the file gives a meaning (A4).
func TestA04_ConferencesOfALineKeepTheirIDs(t *testing.T) {
	for _, ids := range [][]string{
		nil, {"conf_a"}, {"a", "b"}, {"*"}, {"a,b", "c"}, {"call:1"}, {"#1"}, {"a b", "a\u00a0b", "a\u2003b"}, {"50%", "%2C"}, {"ä", "\u4f1a\u8b70"},
	} {
		word := formatConferences(ids)
		if strings.HasPrefix(word, "#") || len(strings.Fields(word)) != 1 {
			t.Errorf("%q makes more than a word: %q", ids, word)
		}
		if got, err := parseConferences(word); err != nil || !slices.Equal(got, ids) {
			t.Errorf("%q, as %q: got %q, %v", ids, word, got, err)
		}
	}
	for _, word := range []string{"*,conf_a", "conf_a,*", "%", "%zz", "a%2"} {
		if got, err := parseConferences(word); err == nil {
			t.Errorf("%q: got %q", word, got)
		}
	}
}
