package keys

import (
	"slices"
	"strings"
	"testing"
)

// An id may contain characters with a meaning in the file (A4).
func TestA04_ConferenceIDsAreEncodedInALine(t *testing.T) {
	for _, ids := range [][]string{
		nil, {"conf_a"}, {"a", "b"}, {"*"}, {"a,b", "c"}, {"call:1"}, {"#1"}, {"a b", "a\u00a0b", "a\u2003b"}, {"50%", "%2C"}, {"ä", "\u4f1a\u8b70"},
	} {
		encoded := formatConferences(ids)
		if strings.HasPrefix(encoded, "#") || len(strings.Fields(encoded)) != 1 {
			t.Errorf("%q is not one field: %q", ids, encoded)
		}
		if got, err := parseConferences(encoded); err != nil || !slices.Equal(got, ids) {
			t.Errorf("%q, as %q: got %q, %v", ids, encoded, got, err)
		}
	}
	for _, value := range []string{"*,conf_a", "conf_a,*", "%", "%zz", "a%2"} {
		if got, err := parseConferences(value); err == nil {
			t.Errorf("%q: got %q", value, got)
		}
	}
}
