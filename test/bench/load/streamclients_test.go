package main

import (
	"errors"
	"io"
	"net"
	"testing"
)

// TestCountMarks cuts a stream at every place.
func TestCountMarks(t *testing.T) {
	const stream = "data: {}\n\ndata: {\"a\":{}}\n\n}\n"
	for cut := 1; cut < len(stream); cut++ {
		server, client := net.Pipe()
		go func() {
			_, _ = io.WriteString(server, stream[:cut])
			_, _ = io.WriteString(server, stream[cut:])
			_ = server.Close()
		}()
		var c counters
		if err := countMarks(client, []byte(textMark), &c); !errors.Is(err, io.EOF) {
			t.Fatalf("error %v, want EOF", err)
		}
		if c.units.Load() != 3 || c.connected.Load() != 1 || c.bytes.Load() != int64(len(stream)) {
			t.Errorf("cut at %d: %d messages, %d streams and %d bytes, want 3, 1 and %d",
				cut, c.units.Load(), c.connected.Load(), c.bytes.Load(), len(stream))
		}
	}
}
