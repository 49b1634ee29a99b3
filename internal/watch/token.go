package watch

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
)

// A token is text: tokenPrefix, the version of the format in digits, a dot, and the content
// in base64url. So every version recognises the tokens of other versions (W4).
const (
	tokenPrefix  = "pgw"
	tokenVersion = "1"
)

// token is the content of a resume token of this version. It grants no access.
type token struct {
	position   feed.Position
	filter     participant.FilterHash
	conference string
}

func (t token) String() string {
	body := make([]byte, 0, len(t.position.Epoch)+len(t.filter)+binary.MaxVarintLen64+len(t.conference))
	body = append(body, t.position.Epoch[:]...)
	body = append(body, t.filter[:]...)
	body = binary.AppendUvarint(body, t.position.Seq)
	body = append(body, t.conference...)
	return tokenPrefix + tokenVersion + "." + base64.RawURLEncoding.EncodeToString(body)
}

var errNoToken = errors.New("not a resume token of this service")

// parseToken parses a token. For a token of another version it returns the zero token, which
// no log can resume.
func parseToken(text string) (token, error) {
	rest, ours := strings.CutPrefix(text, tokenPrefix)
	version, encoded, dotted := strings.Cut(rest, ".")
	if !ours || !dotted || !isDigits(version) {
		return token{}, errNoToken
	}
	if version != tokenVersion {
		return token{}, nil
	}
	body, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return token{}, errNoToken
	}
	return decodeToken(body)
}

func decodeToken(body []byte) (token, error) {
	var t token
	fixed := len(t.position.Epoch) + len(t.filter)
	if len(body) < fixed {
		return token{}, errNoToken
	}
	copy(t.position.Epoch[:], body)
	copy(t.filter[:], body[len(t.position.Epoch):])
	seq, n := binary.Uvarint(body[fixed:])
	if n <= 0 {
		return token{}, errNoToken
	}
	t.position.Seq = seq
	t.conference = string(body[fixed+n:])
	if !participant.ValidID(t.conference) {
		return token{}, errNoToken
	}
	return t, nil
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
