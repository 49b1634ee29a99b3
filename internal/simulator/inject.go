package simulator

import (
	"fmt"
	"slices"
)

// Inject makes a fault and returns its id.
func (s *Simulator) Inject(f Fault) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.arm(f)
}

func (w *world) arm(f Fault) (id string) {
	w.faultsMade++
	f.ID = fmt.Sprintf("fault_%d", w.faultsMade)
	w.faults = append(w.faults, &armed{Fault: f})
	return f.ID
}

// Faults are those that still wait for requests, in the order they were made.
func (s *Simulator) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	faults := make([]Fault, 0, len(s.world.faults))
	for _, a := range s.world.faults {
		faults = append(faults, a.Fault)
	}
	return faults
}

// ClearFaults takes all faults away.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.faults = nil
}

// ClearFault takes one fault away, and says whether there was one.
func (s *Simulator) ClearFault(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.world.faults)
	s.world.faults = slices.DeleteFunc(s.world.faults, func(a *armed) bool { return a.ID == id })
	return len(s.world.faults) < before
}
