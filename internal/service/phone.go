package service

import (
	"regexp"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"github.com/audian/participant-gateway/internal/apierror"
)

// PhoneRule is how phone numbers are checked before they are dialled (A4). A number is
// sent as given, whatever the rule.
type PhoneRule struct {
	// LengthOnly checks nothing but the length (--phone-validation=length).
	LengthOnly bool
	// DefaultRegion is the region in which national numbers are checked; empty takes
	// E.164 alone (--default-region).
	DefaultRegion string
}

// maxPhoneNumber is the upstream's limit in characters.
const maxPhoneNumber = 20

// The parser takes far more than numbers ("tel:", spaces, extensions, letters), so
// what it may see is matched first.
var (
	e164     = regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)
	national = regexp.MustCompile(`^[0-9]{2,17}$`)
)

// check gives the violation of a number, if any. The length is the proto's rule.
func (r PhoneRule) check(number string) []apierror.Violation {
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
	return []apierror.Violation{{Field: "phone_number", Rule: "phone_number.possible", Message: message}}
}

// possible says whether a number may be dialled. One in E.164 form must be what
// libphonenumber writes for it: a trunk prefix after the country code, such as the zero
// of +4402079460000, is none of it.
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
