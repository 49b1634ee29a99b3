package redistest

import "testing"

// TestAServerDoesNotTakeAnotherForItself starts a server on the port of another one.
func TestAServerDoesNotTakeAnotherForItself(t *testing.T) {
	other := Start(t, Options{})
	for range 10 {
		s := &Server{t: t, dir: t.TempDir(), port: other.port}
		if err := s.run(); err == nil {
			s.Kill()
			t.Fatal("the other server was taken for the one that was started")
		}
	}
}
