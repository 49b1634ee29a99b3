package main

import (
	"regexp"
	"strings"
)

// ellipsis stands for any text.
const ellipsis = "…"

// masks replace what differs between runs.
var masks = []struct {
	pattern     *regexp.Regexp
	replacement string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`), "TIME"},
	{regexp.MustCompile(`part_[a-z0-9]{6,}`), "PARTICIPANT"},
	{regexp.MustCompile(`pg[wl]1\.[A-Za-z0-9_-]*`), "TOKEN"},
	{regexp.MustCompile(`\b[A-Z2-7]{26}\b`), "ID"},
	{regexp.MustCompile(`req_[0-9a-z]+`), "ID"},
	{regexp.MustCompile(`\b\d+(\.\d+)?s?\b`), "N"},
	{regexp.MustCompile(`\s+`), " "},
}

func normalize(text string) string {
	for _, mask := range masks {
		text = mask.pattern.ReplaceAllString(text, mask.replacement)
	}
	return strings.TrimSpace(text)
}

// firstMissing returns the first piece of want that is not in the output after the pieces
// before it, or an empty string. Ellipses and line ends separate pieces. Numbers, times, ids
// and spaces are not compared.
func firstMissing(output, want string) string {
	rest := normalize(output)
	for line := range strings.SplitSeq(want, "\n") {
		for piece := range strings.SplitSeq(line, ellipsis) {
			_, after, found := strings.Cut(rest, normalize(piece))
			if !found {
				return strings.TrimSpace(piece)
			}
			rest = after
		}
	}
	return ""
}
