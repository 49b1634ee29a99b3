package httpio

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
)

// Connection is the connection of an HTTP/1 request after its handler has returned. It sends the
// rest of the response's body.
type Connection struct {
	// TimedWriter blocks until the client has read, within its limits.
	*TimedWriter

	conn net.Conn
	// socket is the connection's descriptor, until it is closed; 0 if the connection cannot be written
	// to without waiting, as with TLS.
	socket  int
	chunked bool
	// stopNotify ends NotifyClose.
	stopNotify func()
}

// CanTakeOver reports whether TakeOver is possible for a request.
func CanTakeOver(w http.ResponseWriter, r *http.Request) bool {
	if r.ProtoMajor != 1 {
		return false
	}
	for {
		switch known := w.(type) {
		case http.Hijacker:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = known.Unwrap()
		default:
			return false
		}
	}
}

// TakeOver takes the connection of a request from net/http, which has sent the head of the response
// with "Connection: close" and without a length. The server's limits no longer apply to it.
func TakeOver(w http.ResponseWriter, r *http.Request) (*Connection, error) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, fmt.Errorf("take over the connection: %w", err)
	}
	c := &Connection{TimedWriter: TimedWriterOf(body{conn}), conn: conn, chunked: r.ProtoAtLeast(1, 1)}
	if plain, ok := conn.(*net.TCPConn); ok {
		c.socket = socketOf(plain)
	}
	return c, nil
}

// socketOf returns the descriptor of a connection, or 0.
func socketOf(conn *net.TCPConn) (socket int) {
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { socket = int(fd) }) // A connection that is closed has none.
	}
	return socket
}

// body is a response of which only the body is to be sent.
type body struct{ net.Conn }

func (body) Header() http.Header { return http.Header{} }

func (body) WriteHeader(int) {}

// AppendHead appends what goes before a part of the body of some bytes.
func (c *Connection) AppendHead(to []byte, size int) []byte {
	if !c.chunked {
		return to
	}
	const hex = 16
	return append(strconv.AppendInt(to, int64(size), hex), lineBreak...)
}

// AppendTail appends what goes after a part.
func (c *Connection) AppendTail(to []byte) []byte {
	if !c.chunked {
		return to
	}
	return append(to, lineBreak...)
}

const (
	lineBreak = "\r\n"
	lastChunk = "0\r\n\r\n"
)

// TryWrite writes what the connection takes without waiting. The rest, if any, is for WriteAll. It must
// not be called after End, nor during another write: it uses the descriptor, which is faster.
func (c *Connection) TryWrite(p []byte) (written int, err error) {
	if c.socket == 0 {
		return 0, nil
	}
	written, err = tryWrite(c.socket, p)
	if err != nil {
		return written, &apierror.Error{Reason: apierror.Cancelled, Message: "the client has disconnected", Cause: err}
	}
	return written, nil
}

// WriteAll writes all, and waits for the client within the limits of the TimedWriter.
func (c *Connection) WriteAll(parts [][]byte) error {
	for _, part := range parts {
		if len(part) == 0 {
			continue
		}
		if _, err := c.Write(part); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Failed()
}

// NotifyClose calls closed, once, when the client closes the connection or no longer answers. It
// must be called before End.
func (c *Connection) NotifyClose(closed func()) {
	if c.socket != 0 {
		if stop, ok := notifyDisconnect(c.socket, closed); ok {
			c.stopNotify = stop
			return
		}
	}
	c.stopNotify = func() {}
	go func() {
		if c.waitForClose() {
			closed()
		}
	}()
}

// waitForClose waits until the client has closed the connection. It reads and ignores what the
// client sends: this response is the last. It returns false for a client that sends too much.
func (c *Connection) waitForClose() bool {
	const limit = 64 << 10
	var ignored [64]byte
	for received := 0; received < limit; {
		n, err := c.conn.Read(ignored[:])
		if err != nil {
			return true
		}
		received += n
	}
	return false
}

// closeTimeout is how long a client that has got the whole response may keep the connection open.
// A connection that is closed before the client has closed it may be reset, and the end of the
// response lost.
const closeTimeout = 500 * time.Millisecond

// End ends the response, unless it was cut off, and closes the connection.
func (c *Connection) End() {
	if c.chunked {
		_, _ = c.Write([]byte(lastChunk)) // Failed has the error.
	}
	if closer, ok := c.conn.(interface{ CloseWrite() error }); ok && c.Failed() == nil && closer.CloseWrite() == nil {
		_ = c.conn.SetReadDeadline(time.Now().Add(closeTimeout))
		c.waitForClose()
	}
	c.stopNotify()
	c.close()
}

// close closes the connection. A client that does not read gets no end of TLS: it would take 5 s more.
func (c *Connection) close() {
	conn := c.conn
	if secured, isTLS := conn.(*tls.Conn); isTLS && c.Failed() != nil {
		conn = secured.NetConn()
	}
	_ = conn.Close() // The client may have closed it.
}
