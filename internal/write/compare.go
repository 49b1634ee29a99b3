package write

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"

	"github.com/audian/participant-gateway/internal/participant"
)

// comparison decides whether an add and a participant, or two adds, mean the same person
// (A1). The upstream may write what it was sent in another form.
type comparison struct {
	// defaultRegion is the region of national phone numbers; empty where there is none.
	defaultRegion string
}

// fits says whether a listed participant has the add's phone number, and its name and role
// where the add has them.
func (c comparison) fits(item participant.Item, add participant.Add) bool {
	return c.samePhone(add.PhoneNumber, item.PhoneNumber) &&
		(normalName(add.Name) == "" || normalName(add.Name) == normalName(item.Name)) &&
		(add.Role == "" || sameRole(add.Role, item.Role))
}

// ambiguous says whether what other makes could be taken for what add makes. That
// holds for equal adds, and where add leaves open what other names. A role that
// other leaves to the upstream may turn out to be add's.
func (c comparison) ambiguous(add, other participant.Add) bool {
	return c.samePhone(add.PhoneNumber, other.PhoneNumber) &&
		(normalName(add.Name) == "" || normalName(add.Name) == normalName(other.Name)) &&
		(add.Role == "" || other.Role == "" || sameRole(add.Role, other.Role))
}

func normalName(name string) string { return strings.TrimSpace(norm.NFC.String(name)) }

func sameRole(a, b participant.Role) bool { return strings.EqualFold(string(a), string(b)) }

// samePhone compares phone numbers in E.164 form, and by their digits where one is no
// number of any country. The written form of one may lack the plus, or be that of the
// country of the other. A text without digits is no number and equals none.
func (c comparison) samePhone(a, b string) bool {
	digitsOfA, digitsOfB := digits(a), digits(b)
	if digitsOfA == "" || digitsOfB == "" || !sameEnd(digitsOfA, digitsOfB) {
		return false
	}
	if digitsOfA == digitsOfB {
		return true
	}
	formsOfA := c.e164Forms(a, b)
	for form := range c.e164Forms(b, a) {
		if _, found := formsOfA[form]; found {
			return true
		}
	}
	return false
}

// e164Forms are the E.164 forms that a number may have: as it is written, with the plus that it lacks,
// as one of the default region, and as one of the region of the other number.
func (c comparison) e164Forms(number, other string) map[string]struct{} {
	forms := make(map[string]struct{})
	add := func(number, region string) {
		if parsed, err := phonenumbers.Parse(number, region); err == nil {
			forms[phonenumbers.Format(parsed, phonenumbers.E164)] = struct{}{}
		}
	}
	add(number, c.defaultRegion)
	if strings.HasPrefix(strings.TrimSpace(number), "+") {
		return forms
	}
	add("+"+digits(number), "")
	if parsed, err := phonenumbers.Parse(other, c.defaultRegion); err == nil {
		add(number, phonenumbers.GetRegionCodeForCountryCode(int(parsed.GetCountryCode())))
	}
	return forms
}

// sameEnd compares the last digits, which every written form of a number has. It is cheap,
// and parsing is not.
func sameEnd(a, b string) bool {
	const compared = 4
	n := min(len(a), len(b), compared)
	return a[len(a)-n:] == b[len(b)-n:]
}

func digits(phone string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, phone)
}
