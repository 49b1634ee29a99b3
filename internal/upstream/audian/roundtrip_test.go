package audian

import (
	"io"
	"testing"
)

// TestEmptyBody_NeedsNoBuffer copies the body of a GET as net/http does.
func TestEmptyBody_NeedsNoBuffer(t *testing.T) {
	var body io.Reader = emptyBody{}
	to := struct{ io.Writer }{io.Discard}
	allocated := testing.AllocsPerRun(10, func() {
		if n, err := io.Copy(to, body); n != 0 || err != nil {
			t.Errorf("copied %d bytes, %v", n, err)
		}
	})
	if allocated > 1 { // Nothing but to, as an interface.
		t.Errorf("%.0f allocations", allocated)
	}
}
