package participant

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxID is the longest id in characters.
const maxID = 128

// ValidID reports whether id can name a conference or a participant (A4). An id is opaque, but
// fits one segment of a path: no `/` or `\`, no control character, and not `.` or `..`.
func ValidID(id string) bool {
	if id == "" || id == "." || id == ".." || !utf8.ValidString(id) || utf8.RuneCountInString(id) > maxID {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) })
}
