package write

import (
	"testing"

	"github.com/audian/participant-gateway/internal/participant"
)

// sentDials are dials of one conference, all of them sent.
func sentDials(c *claims, n int) []*dial {
	dials := make([]*dial, n)
	for i := range dials {
		dials[i] = newDial(request{key: key}, alice)
		c.open(dials[i])
	}
	return dials
}

func TestA01_WhoWasSeenIsFreeForThoseSentBefore(t *testing.T) {
	c := newClaims()
	seen := []participant.Item{person("part_1", alice)}
	before := sentDials(&c, 2)
	c.leaveOpen(before[0], seen)
	after := sentDials(&c, 1)[0]
	// Being seen again later is no news of who made it.
	c.leaveOpen(before[1], seen)

	for _, d := range before {
		if len(c.free(d, seen)) != 1 {
			t.Errorf("sending %d may have made whom it was seen with", d.sending)
		}
	}
	if len(c.free(after, seen)) != 0 {
		t.Error("a later sending is given whom others were seen with")
	}
	c.settle(before[0], "part_1")
	if len(c.free(before[1], seen)) != 0 {
		t.Error("what was claimed is free")
	}
}

func TestA01_ClaimsForgetConferencesAtRest(t *testing.T) {
	c := newClaims()
	for i, d := range sentDials(&c, 3) {
		switch i {
		case 0:
			c.settle(d, "part_1")
		case 1:
			c.withdraw(d)
		default:
			c.leaveOpen(d, nil)
		}
	}
	if len(c.unresolved) != 0 {
		t.Errorf("still unresolved: %v", c.unresolved)
	}
}

func TestA01_Mistakable(t *testing.T) {
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
			if got := mistakable(test.add, test.other); got != test.want {
				t.Errorf("mistakable: %v, want %v", got, test.want)
			}
		})
	}
}
