// Package redact takes what must not be shown out of texts: all but the last digits of
// phone numbers.
package redact

import (
	"net/netip"
	"regexp"
	"strings"
)

// between stands between the digits of a number as people write it, spaces and dashes
// of print among it.
const between = `[\s\x{A0}\x{2010}-\x{2015}().\-/]*`

// phoneNumber is what looks like one in a text: after a plus, which may be escaped as in
// a path, or seven digits at least that stand alone. Ids have letters.
var phoneNumber = regexp.MustCompile(
	`(?:\+|%2[Bb])\(?[0-9](?:` + between + `[0-9]){6,}|\(?\b[0-9](?:` + between + `[0-9]){6,}\b`)

// MaskNumbers leaves the last four digits of the phone numbers in a text, by which calls
// can still be told apart. Network addresses stay.
func MaskNumbers(text string) string {
	return phoneNumber.ReplaceAllStringFunc(text, func(number string) string {
		if _, err := netip.ParseAddr(number); err == nil {
			return number
		}
		return MaskNumber(number)
	})
}

// shownDigits are left of a phone number; one that has no more shows none.
const shownDigits = 4

// MaskNumber leaves the last four digits of what is a phone number as a whole.
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
