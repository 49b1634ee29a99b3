package write

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"

	"github.com/audian/participant-gateway/internal/participant"
)

// comparison decides whether an add and a participant, or two adds, mean the same person
// (A1). The upstream may return names and numbers in another form than it received them.
type comparison struct {
	// defaultRegion is the region of national phone numbers; empty if there is none.
	defaultRegion string
}

// matches reports whether a listed participant has the add's phone number, and its name and
// role if the add has them.
func (c comparison) matches(item participant.Item, add participant.Add) bool {
	return c.samePhone(add.PhoneNumber, item.PhoneNumber) &&
		(normalName(add.Name) == "" || normalName(add.Name) == normalName(item.Name)) &&
		(add.Role == "" || sameRole(add.Role, item.Role))
}

// ambiguous reports whether the participant of other may match add. That is so for equal adds,
// and if add does not set the name or role that other sets. A role that other leaves to the
// upstream may become the role of add.
func (c comparison) ambiguous(add, other participant.Add) bool {
	return c.samePhone(add.PhoneNumber, other.PhoneNumber) &&
		(normalName(add.Name) == "" || normalName(add.Name) == normalName(other.Name)) &&
		(add.Role == "" || other.Role == "" || sameRole(add.Role, other.Role))
}

func normalName(name string) string { return strings.TrimSpace(norm.NFC.String(name)) }

func sameRole(a, b participant.Role) bool { return strings.EqualFold(string(a), string(b)) }

// samePhone compares phone numbers in E.164 form, and by their digits if one is not a valid
// number. One of them may lack the plus, or be national in the region of the other. A text
// without digits equals no number.
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

// e164Forms returns the possible E.164 forms of a number: as it is written, with a plus, in
// the default region, and in the region of the other number.
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

// sameEnd compares the last digits, which are the same in every form of a number. It avoids
// most of the parsing, which is slow.
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
