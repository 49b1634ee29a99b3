package interceptor

import (
	"regexp"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/audian/participant-gateway/internal/apierror"
)

// PhoneRule is the rule for phone numbers (A4). It never changes a number.
type PhoneRule struct {
	// LengthOnly checks only the length (--phone-validation=length).
	LengthOnly bool
	// DefaultRegion is the region of national numbers; if it is empty, only E.164 is valid
	// (--default-region).
	DefaultRegion string
}

// maxPhoneNumber is the upstream's limit in characters.
const maxPhoneNumber = 20

// The parser accepts more than numbers ("tel:", spaces, extensions, letters), so that these
// expressions are matched first.
var (
	e164     = regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)
	national = regexp.MustCompile(`^[0-9]{2,17}$`)
)

// check returns the violation of the number in a field, if any. The proto has the rule for the
// length.
func (r PhoneRule) check(field, number string) []apierror.Violation {
	if length := utf8.RuneCountInString(number); r.LengthOnly || length == 0 || length > maxPhoneNumber {
		return nil
	}
	if r.possible(number) {
		return nil
	}
	message := "must be a possible number in E.164 form, such as +12025551234, without a trunk prefix"
	if r.DefaultRegion != "" {
		message += ", or a national one of " + r.DefaultRegion
	}
	return []apierror.Violation{{Field: field, Rule: "phone_number.possible", Message: message}}
}

// canonical returns the E.164 form of a number, or the number itself if it has none. Numbers with
// equal forms reach the same phone.
func (r PhoneRule) canonical(number string) string {
	parsed, err := phonenumbers.Parse(number, r.DefaultRegion)
	if err != nil || !e164.MatchString(number) && !national.MatchString(number) {
		return number
	}
	return phonenumbers.Format(parsed, phonenumbers.E164)
}

// possible reports whether a number may be dialled. A number in E.164 form must be equal to
// libphonenumber's formatting of it, which removes a trunk prefix after the country code, such
// as the zero of +4402079460000.
func (r PhoneRule) possible(number string) bool {
	international := e164.MatchString(number)
	if !international && (r.DefaultRegion == "" || !national.MatchString(number)) {
		return false
	}
	parsed, err := phonenumbers.Parse(number, r.DefaultRegion)
	if err != nil || !phonenumbers.IsPossibleNumber(parsed) {
		return false
	}
	return !international || phonenumbers.Format(parsed, phonenumbers.E164) == number
}
