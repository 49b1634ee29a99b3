package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// watchSSE opens the subscribers, each on a connection of its own.
func (c *conferenceDeliveries) watchSSE(ctx context.Context, addr string) error {
	request := []byte(watchRequest(addr, c.conference, eventStream, ""))
	dial := dialTo(addr)
	for i := range c.subscribers {
		conn, err := dial(ctx, i)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		if _, err := conn.Write(request); err != nil {
			return fmt.Errorf("send a request: %w", err)
		}
		go func() { c.ended(ctx, c.readSSE(conn)) }()
	}
	return nil
}

// readSSE reads messages until the stream ends.
func (c *conferenceDeliveries) readSSE(conn net.Conn) error {
	defer func() { _ = conn.Close() }()
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 4<<10), 1<<20)
	for first := true; lines.Scan(); {
		message, isData := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !isData {
			continue
		}
		listEnded, err := notAfter(message)
		if err != nil {
			return err
		}
		c.message(first, len(message), bytes.Contains(message, []byte(`"reason":"LAGGED"`)), listEnded)
		first = false
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read a line: %w", err)
	}
	return io.EOF
}

// notAfter returns when the list of a message of changes ended; the zero time for others.
func notAfter(message []byte) (ended time.Time, err error) {
	_, after, found := bytes.Cut(message, []byte(`"not_after":"`))
	if !found {
		return ended, nil
	}
	text, _, _ := bytes.Cut(after, []byte(`"`))
	if ended, err = time.Parse(time.RFC3339Nano, string(text)); err != nil {
		return ended, fmt.Errorf("read the end of a list: %w", err)
	}
	return ended, nil
}

// watchGRPC opens the subscribers on one connection.
func (c *conferenceDeliveries) watchGRPC(ctx context.Context, addr string) error {
	conn, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	for range c.subscribers {
		stream, err := v2.NewParticipantServiceClient(conn).WatchParticipants(ctx, &v2.WatchParticipantsRequest{ConferenceId: c.conference})
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		go func() { c.ended(ctx, c.readGRPC(stream)) }()
	}
	return nil
}

// readGRPC receives messages until the stream ends.
func (c *conferenceDeliveries) readGRPC(stream grpc.ServerStreamingClient[v2.WatchParticipantsResponse]) error {
	for first := true; ; first = false {
		message, err := stream.Recv()
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		var listEnded time.Time
		if changes := message.GetChanges(); changes != nil {
			listEnded = changes.GetNotAfter().AsTime()
		}
		lagged := message.GetSnapshot().GetReason() == v2.SnapshotReason_SNAPSHOT_REASON_LAGGED
		c.message(first, proto.Size(message), lagged, listEnded)
	}
}
