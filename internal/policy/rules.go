// Package policy limits whom callers dial, and how often a day (A14). The rules of everybody and
// those of a caller's own key hold together.
package policy

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Rules are the limits for one caller. The zero Rules limit nothing.
type Rules struct {
	// Prefixes are the allowed beginnings of phone numbers in E.164 form; nil is all.
	Prefixes []string
	// AddsPerDay is how many adds may be sent in a day (UTC); 0 is no limit.
	AddsPerDay int
}

// prefixForm is the beginning of a number in E.164 form.
var prefixForm = regexp.MustCompile(`^\+[1-9][0-9]{0,14}$`)

// CheckPrefix returns an error unless numbers can have the prefix.
func CheckPrefix(prefix string) error {
	if !prefixForm.MatchString(prefix) {
		return fmt.Errorf("a prefix must be a plus and 1 to 15 digits, such as +1 or +4420, but is %q", prefix)
	}
	return nil
}

// MaxAddsPerDay is far above what an upstream account can send in a day.
const MaxAddsPerDay = 1_000_000_000

// CheckAddsPerDay returns an error unless a limit has this value.
func CheckAddsPerDay(limit int) error {
	if limit < 1 || limit > MaxAddsPerDay {
		return fmt.Errorf("the adds per day must be 1 to %d but are %d", MaxAddsPerDay, limit)
	}
	return nil
}

// allows reports whether a number may be dialled. e164 is empty for a number without a certain
// E.164 form, which no prefix allows.
func (r Rules) allows(e164 string) bool {
	if r.Prefixes == nil {
		return true
	}
	for _, prefix := range r.Prefixes {
		if strings.HasPrefix(e164, prefix) {
			return true
		}
	}
	return false
}

// plainNumber matches numbers whose digits can be read in one way only. The parser accepts more,
// such as letters, extensions and the country of a "tel:" URI.
var plainNumber = regexp.MustCompile(`^\+?[0-9][0-9 ().-]*$`)

// e164 returns the E.164 form of a number; empty if it is not certain. National numbers are those
// of the region, which may be empty.
func e164(number, region string) string {
	if !plainNumber.MatchString(number) {
		return ""
	}
	parsed, err := phonenumbers.Parse(number, region)
	if err != nil {
		return ""
	}
	return phonenumbers.Format(parsed, phonenumbers.E164)
}
