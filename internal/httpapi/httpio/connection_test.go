package httpio

import (
	"crypto/tls"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/certs/certstest"
)

// TestW16_AStreamOverTLSThatWasCutOffEndsAtOnce has a client that does not read: it does not read the
// message with which TLS closes a connection either.
func TestW16_AStreamOverTLSThatWasCutOffEndsAtOnce(t *testing.T) {
	authority, now := certstest.NewAuthority(t), time.Now()
	certificate := authority.Server("localhost").TLS()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		conn := tls.Server(near, &tls.Config{Certificates: []tls.Certificate{certificate}, SessionTicketsDisabled: true})
		client := tls.Client(far, &tls.Config{
			RootCAs: authority.Pool(), ServerName: "localhost", Time: func() time.Time { return now },
		})
		greeted := make(chan error, 1)
		go func() { greeted <- client.Handshake() }()
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		if err := <-greeted; err != nil {
			t.Fatal(err)
		}
		c := &Connection{TimedWriter: TimedWriterOf(body{conn}), conn: conn, stopNotify: func() {}}
		c.CutOffSoon()
		if err := c.WriteAll([][]byte{[]byte("message")}); err == nil {
			t.Fatal("written to a client that does not read")
		}
		start := time.Now()
		c.End()
		if took := time.Since(start); took > 0 {
			t.Errorf("the end took %v", took)
		}
	})
}
