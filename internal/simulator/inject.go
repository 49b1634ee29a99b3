package simulator

import (
	"fmt"
	"slices"
)

// Inject activates a fault and returns its id.
func (s *Simulator) Inject(f Fault) (id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.inject(f)
}

func (st *state) inject(f Fault) (id string) {
	st.injected++
	f.ID = fmt.Sprintf("fault_%d", st.injected)
	st.faults = append(st.faults, &activeFault{Fault: f})
	return f.ID
}

// Faults returns the active faults in the order in which they were injected.
func (s *Simulator) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	faults := make([]Fault, 0, len(s.state.faults))
	for _, a := range s.state.faults {
		faults = append(faults, a.Fault)
	}
	return faults
}

// ClearFaults clears all faults.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.faults = nil
}

// ClearFault clears one fault, and reports whether it was active.
func (s *Simulator) ClearFault(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.state.faults)
	s.state.faults = slices.DeleteFunc(s.state.faults, func(a *activeFault) bool { return a.ID == id })
	return len(s.state.faults) < before
}
