// Package redact hides what errors and logs must not show: secrets, and all but the last
// digits of phone numbers.
package redact

import (
	"net/netip"
	"regexp"
	"strings"
)

// separators may stand between the digits of a number, with typographic spaces and dashes.
const separators = `[\s\x{A0}\x{2010}-\x{2015}().\-/]*`

// phoneNumber matches at least seven digits after a plus, which may be percent-encoded as
// in a path, or as a word without letters. Ids have letters.
var phoneNumber = regexp.MustCompile(
	`(?:\+|%2[Bb])\(?[0-9](?:` + separators + `[0-9]){6,}|\(?\b[0-9](?:` + separators + `[0-9]){6,}\b`)

// MaskNumbers masks the phone numbers in a text but for their last four digits, which
// distinguish calls. It does not mask network addresses.
func MaskNumbers(text string) string {
	return phoneNumber.ReplaceAllStringFunc(text, func(number string) string {
		if _, err := netip.ParseAddr(number); err == nil {
			return number
		}
		return MaskNumber(number)
	})
}

// shownDigits is how many digits of a phone number stay; a number of no more shows none.
const shownDigits = 4

// MaskNumber masks a phone number but for its last four digits.
func MaskNumber(number string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	if len(digits) <= shownDigits {
		return "…"
	}
	return "…" + digits[len(digits)-shownDigits:]
}
