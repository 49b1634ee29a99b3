package audian

import "github.com/go-json-experiment/json/jsontext"

// itemText is where the text of an item is in an array, and the digits of its duration in it.
// There are none if the duration is missing, or anything else than a number of up to 9 digits.
type itemText struct{ start, digits, digitsEnd, end int }

// setDigits sets where the digits of a duration are that ends at an offset.
func (t *itemText) setDigits(end int, duration jsontext.Value) {
	t.digits, t.digitsEnd = 0, 0
	if _, n := wholeNumber(duration); n == len(duration) {
		t.digits, t.digitsEnd = end-n, end
	}
}

// setEnd sets where the text ends. Without digits of a duration all of it is before them.
func (t *itemText) setEnd(end int) {
	t.end = end
	if t.digits == 0 {
		t.digits, t.digitsEnd = end, end
	}
}

// shift moves the text to another place.
func (t *itemText) shift(by int) {
	t.start, t.digits, t.digitsEnd, t.end = t.start+by, t.digits+by, t.digitsEnd+by, t.end+by
}

// maxDigits is the most digits of a number that fits into an int32, whatever they are.
const maxDigits = 9

// wholeNumber reads the number of up to 9 digits with which a text begins, as JSON writes it. It
// returns no digits if there is none.
func wholeNumber(text []byte) (n int32, digits int) {
	for digits < min(len(text), maxDigits) && '0' <= text[digits] && text[digits] <= '9' {
		n = 10*n + int32(text[digits]-'0')
		digits++
	}
	if digits > 1 && text[0] == '0' {
		return 0, 0
	}
	return n, digits
}
