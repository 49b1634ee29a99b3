package participant

import "strings"

// maxID is the longest id in bytes.
const maxID = 128

const idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@~-"

// ValidID says whether id can name a conference or a participant (A4): such an id is
// one plain segment of a path.
func ValidID(id string) bool {
	return id != "" && len(id) <= maxID && strings.Trim(id, idCharacters) == "" && id != "." && id != ".."
}
