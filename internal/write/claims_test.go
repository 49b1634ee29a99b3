package write

import (
	"testing"

	"github.com/audian/participant-gateway/internal/participant"
)

// sentOperations are operations of one conference, all of them sent.
func sentOperations(c *claims, n int) []*addOperation {
	operations := make([]*addOperation, n)
	for i := range operations {
		operations[i] = newOperation(request{key: key}, alice, &waiter{})
		c.open(operations[i])
	}
	return operations
}

func TestA01_CandidatesStayUnclaimedForEarlierAdds(t *testing.T) {
	c := newClaims(comparison{})
	seen := []participant.Item{person("part_1", alice)}
	before := sentOperations(&c, 2)
	c.leaveUnresolved(before[0], seen)
	after := sentOperations(&c, 1)[0]
	// A later list does not show who created it.
	c.leaveUnresolved(before[1], seen)

	for _, d := range before {
		if len(c.unclaimed(d, seen)) != 1 {
			t.Errorf("sending %d may have made whom it was seen with", d.sequence)
		}
	}
	if len(c.unclaimed(after, seen)) != 0 {
		t.Error("a later sending is given whom others were seen with")
	}
	c.assign(before[0], "part_1")
	if len(c.unclaimed(before[1], seen)) != 0 {
		t.Error("what was claimed is free")
	}
}

func TestA01_ClaimsDropIdleConferences(t *testing.T) {
	c := newClaims(comparison{})
	for i, d := range sentOperations(&c, 3) {
		switch i {
		case 0:
			c.assign(d, "part_1")
		case 1:
			c.withdraw(d)
		default:
			c.leaveUnresolved(d, nil)
		}
	}
	if len(c.unresolved) != 0 {
		t.Errorf("still unresolved: %v", c.unresolved)
	}
}

func TestA01_AmbiguousAdds(t *testing.T) {
	phone := alice.PhoneNumber
	tests := map[string]struct {
		add, other participant.Add
		want       bool
	}{
		"equal":                  {alice, alice, true},
		"muted or not":           {alice, participant.Add{PhoneNumber: phone, Name: "Alice", Role: alice.Role, Muted: true}, true},
		"another phone":          {alice, participant.Add{PhoneNumber: "+12025550000", Name: "Alice"}, false},
		"another name":           {alice, participant.Add{PhoneNumber: phone, Name: "Bob"}, false},
		"other has no name":      {alice, participant.Add{PhoneNumber: phone, Role: alice.Role}, false},
		"add has no name":        {participant.Add{PhoneNumber: phone}, alice, true},
		"another role":           {alice, participant.Add{PhoneNumber: phone, Name: "Alice", Role: participant.RoleListener}, false},
		"the upstream's own say": {alice, participant.Add{PhoneNumber: phone, Name: "Alice"}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := (comparison{}).ambiguous(test.add, test.other); got != test.want {
				t.Errorf("ambiguousAdds: %v, want %v", got, test.want)
			}
		})
	}
}
