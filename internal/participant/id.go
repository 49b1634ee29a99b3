package participant

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxID is the longest id in characters.
const maxID = 128

// ValidID says whether id can name a conference or a participant (A4). It is opaque, but one
// segment of a path: it has no `/` or `\`, no control character, and is not `.` or `..`.
func ValidID(id string) bool {
	if id == "" || id == "." || id == ".." || !utf8.ValidString(id) || utf8.RuneCountInString(id) > maxID {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) })
}
