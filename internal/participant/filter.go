package participant

import (
	"crypto/sha256"
	"slices"
)

// Filter selects participants, and how they are shown. A participant matches if every list
// that is set contains its value; the zero Filter matches everybody.
type Filter struct {
	Statuses []Status
	Roles    []Role
	IDs      []string
	// MaskNumbers masks phone numbers (A13).
	MaskNumbers bool
}

// NewFilter returns the filter in its canonical form: sorted, without duplicates.
func NewFilter(statuses []Status, roles []Role, ids []string) Filter {
	return Filter{Statuses: canonical(statuses), Roles: canonical(roles), IDs: canonical(ids)}
}

func canonical[T ~string](values []T) []T {
	if len(values) == 0 {
		return nil
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

// MatchesAll reports whether the filter matches everybody.
func (f Filter) MatchesAll() bool {
	return len(f.Statuses) == 0 && len(f.Roles) == 0 && len(f.IDs) == 0
}

// Match reports whether p matches the filter.
func (f Filter) Match(p Participant) bool {
	return matches(f.Statuses, p.Status) && matches(f.Roles, p.Role) && matches(f.IDs, p.ID)
}

// Show returns p as the filter shows it.
func (f Filter) Show(p Participant) Participant {
	if f.MaskNumbers {
		return p.Masked()
	}
	return p
}

func matches[T ~string](values []T, value T) bool {
	if len(values) == 0 {
		return true
	}
	_, found := slices.BinarySearch(values, value)
	return found
}

// FilterHash identifies a filter: equal filters have equal hashes.
type FilterHash [16]byte

// Hash returns the hash of a canonical filter.
func (f Filter) Hash() FilterHash {
	sum := sha256.New()
	write := func(field byte, value string) {
		// A length before each value keeps ("ab", "c") and ("a", "bc") apart.
		sum.Write([]byte{field, byte(len(value) >> 8), byte(len(value))})
		sum.Write([]byte(value))
	}
	for _, status := range f.Statuses {
		write('s', string(status))
	}
	for _, role := range f.Roles {
		write('r', string(role))
	}
	for _, id := range f.IDs {
		write('i', id)
	}
	if f.MaskNumbers {
		write('m', "")
	}
	return FilterHash(sum.Sum(nil)[:16])
}
