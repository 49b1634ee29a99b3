// Package redact hides what errors, logs and callers with few rights must not show: secrets,
// and all but the last digits of phone numbers.
package redact

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// separators may stand between the digits of a number, with typographic spaces and dashes.
const separators = `[\s\x{A0}\x{2010}-\x{2015}().\-/]*`

// phoneNumber matches at least seven digits after a plus, which may be percent-encoded as
// in a path, or as a word without letters. Ids have letters.
var phoneNumber = regexp.MustCompile(
	`(?:\+|%2[Bb])\(?[0-9](?:` + separators + `[0-9]){6,}|\(?\b[0-9](?:` + separators + `[0-9]){6,}\b`)

// leastDigits is how many digits phoneNumber matches at least.
const leastDigits = 7

// MaskNumbers masks the phone numbers in a text but for their last four digits, which
// distinguish calls. It does not mask network addresses.
func MaskNumbers(text string) string {
	if !hasDigits(text, leastDigits) {
		return text // Most texts end here, at a small part of the cost of the expression.
	}
	return phoneNumber.ReplaceAllStringFunc(text, func(number string) string {
		if _, err := netip.ParseAddr(number); err == nil {
			return number
		}
		return MaskNumber(number)
	})
}

// hasDigits reports whether a text has at least so many ASCII digits.
func hasDigits(text string, least int) bool {
	for i := 0; i < len(text) && least > 0; i++ {
		if text[i] >= '0' && text[i] <= '9' {
			least--
		}
	}
	return least == 0
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

// MaskDigits replaces every digit of a phone number but the last four by an asterisk, and keeps
// all other characters: "+*******1234". A number of four digits or fewer does not change.
func MaskDigits(number string) string {
	hidden := len(digitsOf(number)) - shownDigits
	return strings.Map(func(r rune) rune {
		if hidden <= 0 || !unicode.IsDigit(r) {
			return r
		}
		hidden--
		return '*'
	}, number)
}

// localDigits is how many of the last digits of a phone number are enough to recognise it in a
// text: people write numbers without the country code and the area code.
const localDigits = 7

// MaskNumberIn masks a phone number as MaskDigits does wherever a text contains it, whatever
// separates its digits, and also without its first digits.
func MaskNumberIn(text, number string) string {
	digits, shown := digitsOf(number), digitsOf(text)
	local := min(len(digits), localDigits)
	if len(digits) <= shownDigits || len(shown) < local {
		return text
	}
	masked := []rune(text)
	found := digitPositions(masked)
	for end := local; end <= len(shown); end++ {
		length := commonEnd(shown[:end], digits)
		if length < local {
			continue
		}
		for _, position := range found[end-length : end-shownDigits] {
			masked[position] = '*'
		}
	}
	return string(masked)
}

// digitsOf returns the digits of a text, in any script.
func digitsOf(text string) []rune {
	return slices.DeleteFunc([]rune(text), func(r rune) bool { return !unicode.IsDigit(r) })
}

// digitPositions returns the indices of the digits.
func digitPositions(text []rune) []int {
	var positions []int
	for i, r := range text {
		if unicode.IsDigit(r) {
			positions = append(positions, i)
		}
	}
	return positions
}

// commonEnd returns how many of the last elements are equal.
func commonEnd(a, b []rune) int {
	length := 0
	for length < min(len(a), len(b)) && a[len(a)-1-length] == b[len(b)-1-length] {
		length++
	}
	return length
}
