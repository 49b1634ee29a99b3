package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// serveNATS publishes to the subject `events` by a client within the process.
func serveNATS(ctx context.Context, o options, out io.Writer) error {
	nats, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		return fmt.Errorf("create NATS: %w", err)
	}
	nats.Start()
	defer nats.Shutdown()
	if !nats.ReadyForConnections(10 * time.Second) {
		return errors.New("NATS did not start within 10 s")
	}
	conn, err := nats.InProcessConn()
	if err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	if _, err := io.WriteString(conn, "CONNECT {\"verbose\":false}\r\n"); err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	if err := writeAddress(out, nats.Addr()); err != nil {
		return err
	}
	message := fmt.Sprintf("PUB events %d\r\n%s\r\n", o.size, o.data())
	return o.publish(ctx, func() error {
		if _, err := io.WriteString(conn, message); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
		return nil
	})
}
