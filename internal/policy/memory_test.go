package policy

import "testing"

// A made-up token is a caller whose adds the upstream refuses.
func TestA14_CallersWhoDialNobodyLeaveNothingInMemory(t *testing.T) {
	m := newMemory()
	giveBack, counted, err := m.Add(t.Context(), "desk", "2026-11-27", 1)
	if err != nil || !counted {
		t.Fatal(counted, err)
	}
	giveBack()
	if _, err := m.Count(t.Context(), "wall", "2026-11-27"); err != nil || len(m.counts) != 0 {
		t.Errorf("left: %v, %v", m.counts, err)
	}
}
