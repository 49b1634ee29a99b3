package redact_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/audian/participant-gateway/internal/redact"
)

// digits returns the digits of a text, and the characters in kept.
func digits(text, kept string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsDigit(r) && !strings.ContainsRune(kept, r) {
			return -1
		}
		return r
	}, text)
}

// FuzzMask checks that a mask hides all digits of a number but four, and changes nothing else.
func FuzzMask(f *testing.F) {
	f.Add("Ada", "+12025551234")
	f.Add("020 7183 8750", "+442071838750")
	f.Add("1111111111", "1111111")
	f.Add("x", "\u0661\u0662\u0663\u0664\u0665")
	f.Fuzz(func(t *testing.T, name, number string) {
		name, number = strings.ToValidUTF8(name, "?"), strings.ToValidUTF8(number, "?")
		masked, all := redact.MaskDigits(number), digits(number, "")
		if shown := digits(masked, ""); len([]rune(shown)) > 4 || !strings.HasSuffix(all, shown) {
			t.Errorf("%q: %q shows %q", number, masked, shown)
		}
		if utf8.RuneCountInString(masked) != utf8.RuneCountInString(number) {
			t.Errorf("%q: %q has another length", number, masked)
		}
		maskedName := redact.MaskNumberIn(name, number)
		if utf8.RuneCountInString(all) > 4 && strings.Contains(digits(maskedName, "*"), all) {
			t.Errorf("%q with %q: %q shows the number", name, number, maskedName)
		}
		before := []rune(name)
		for i, r := range []rune(maskedName) {
			if r != before[i] && (r != '*' || !unicode.IsDigit(before[i])) {
				t.Errorf("%q with %q: %q changes more than digits", name, number, maskedName)
			}
		}
	})
}
