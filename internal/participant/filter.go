package participant

import (
	"crypto/sha256"
	"slices"
)

// Filter says which participants a caller wants to see. Several fields mean all of
// them, several values in a field any of them; the zero Filter passes everybody.
type Filter struct {
	Statuses []Status
	Roles    []Role
	IDs      []string
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

// Match says whether p passes the filter.
func (f Filter) Match(p Participant) bool {
	return passes(f.Statuses, p.Status) && passes(f.Roles, p.Role) && passes(f.IDs, p.ID)
}

func passes[T ~string](wanted []T, value T) bool {
	if len(wanted) == 0 {
		return true
	}
	_, found := slices.BinarySearch(wanted, value)
	return found
}

// FilterHash is equal for filters that mean the same.
type FilterHash [16]byte

// Hash is the filter's canonical hash.
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
	return FilterHash(sum.Sum(nil)[:16])
}
