package main

import (
	"regexp"
	"strings"
)

// elided stands in a page for any text that its reader need not see.
const elided = "…"

// masks hide what differs from one run to the next.
var masks = []struct {
	pattern *regexp.Regexp
	shown   string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
	{regexp.MustCompile(`part_[a-z0-9]{6,}`), "PARTICIPANT"},
	{regexp.MustCompile(`pg[wl]1\.[A-Za-z0-9_-]*`), "TOKEN"},
	{regexp.MustCompile(`\b[A-Z2-7]{26}\b`), "ID"},
	{regexp.MustCompile(`req_[0-9a-z]+`), "ID"},
	{regexp.MustCompile(`\b\d+(\.\d+)?s?\b`), "N"},
	{regexp.MustCompile(`\s+`), " "},
}

func masked(text string) string {
	for _, mask := range masks {
		text = mask.pattern.ReplaceAllString(text, mask.shown)
	}
	return strings.TrimSpace(text)
}

// lacks gives the first piece of want that does not follow in the output, empty where
// all do. Pieces are what stands between elisions and line ends, compared without
// regard to numbers, times, ids and spaces.
func lacks(output, want string) string {
	rest := masked(output)
	for line := range strings.SplitSeq(want, "\n") {
		for piece := range strings.SplitSeq(line, elided) {
			_, after, found := strings.Cut(rest, masked(piece))
			if !found {
				return strings.TrimSpace(piece)
			}
			rest = after
		}
	}
	return ""
}
