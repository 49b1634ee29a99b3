package terminal

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// clean returns text that a terminal shows as it is: control characters, which could move the
// cursor or change colours, and marks that change the direction of writing become a question mark.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, text)
}

// columns returns how many columns of a terminal a text takes.
func columns(text string) (n int) {
	for _, r := range text {
		n += columnsOf(r)
	}
	return n
}

func columnsOf(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// fit returns a text of exactly size columns: shortened with an ellipsis, or padded.
func fit(text string, size int) string {
	if missing := size - columns(text); missing >= 0 {
		return text + strings.Repeat(" ", missing)
	}
	var kept strings.Builder
	used := 0
	for _, r := range text {
		if used+columnsOf(r) > size-1 {
			break
		}
		kept.WriteRune(r)
		used += columnsOf(r)
	}
	return kept.String() + "…" + strings.Repeat(" ", size-used-1)
}
