package httpio

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// blockedWriter is a response whose client does not read, with a write deadline.
type blockedWriter struct {
	http.ResponseWriter

	writing   chan struct{}
	deadlines chan time.Time
}

func (d blockedWriter) SetWriteDeadline(at time.Time) error {
	d.deadlines <- at
	return nil
}

// Write blocks until the deadline is one that has passed.
func (d blockedWriter) Write([]byte) (int, error) {
	d.writing <- struct{}{}
	for {
		if at := <-d.deadlines; !at.After(time.Now()) {
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func TestW16_CutOffEndsLaterWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := TimedWriterOf(blockedWriter{httptest.NewRecorder(), make(chan struct{}, 1), make(chan time.Time, 10)})
		w.CutOff()
		start := time.Now()
		if n, err := w.Write([]byte("x")); n != 0 || apierror.ReasonOf(err) != apierror.ClientBlocked {
			t.Errorf("Write() = %d, %v", n, err)
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("took %v", took)
		}
	})
}
