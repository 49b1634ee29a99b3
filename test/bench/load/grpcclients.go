package main

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// counting is a codec that sends requests which are bytes, and decodes no response: it only
// adds up their size.
type counting struct{}

func (counting) Name() string { return "proto" }

func (counting) Marshal(message any) (mem.BufferSlice, error) {
	request, ok := message.([]byte)
	if !ok {
		return nil, fmt.Errorf("request is %T, not bytes", message)
	}
	return mem.BufferSlice{mem.SliceBuffer(request)}, nil
}

func (counting) Unmarshal(data mem.BufferSlice, message any) error {
	size, ok := message.(*int)
	if !ok {
		return fmt.Errorf("response is %T, not a size", message)
	}
	*size = data.Len()
	return nil
}

// window is larger than any connection needs here. A fixed window turns the pings off with
// which grpc-go measures the bandwidth.
const window = 1 << 20

// dialGRPC opens a connection, by default as a client without any option does.
func dialGRPC(addr string, fixedWindow bool) (*grpc.ClientConn, error) {
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodecV2(counting{})),
	}
	if fixedWindow {
		options = append(options, grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window))
	}
	conn, err := grpc.NewClient("passthrough:///"+addr, options...)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}

// grpcStreams opens watches of a conference, a number of them on each connection.
func grpcStreams(ctx context.Context, addr, conference string, s streamSettings, c *counters) error {
	request, err := proto.Marshal(&v2.WatchParticipantsRequest{ConferenceId: conference})
	if err != nil {
		return fmt.Errorf("encode the request: %w", err)
	}
	var group errgroup.Group
	group.SetLimit(concurrentConnects)
	for first := 0; first < s.streams; first += s.perConnection {
		conn, err := dialGRPC(addr, s.fixedWindow)
		if err != nil {
			return err
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		for range min(s.perConnection, s.streams-first) {
			group.Go(func() error { return watchGRPC(ctx, conn, request, c) })
		}
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("open streams: %w", err)
	}
	return nil
}

// streamSettings are how gRPC clients connect.
type streamSettings struct {
	streams, perConnection int
	fixedWindow            bool
}

// watchGRPC opens a watch, and counts its messages until it ends.
func watchGRPC(ctx context.Context, conn *grpc.ClientConn, request []byte, c *counters) error {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, v2.ParticipantService_WatchParticipants_FullMethodName)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	if err := stream.SendMsg(request); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return fmt.Errorf("end the request: %w", err)
	}
	go func() {
		c.fail(ctx, receive(stream, c))
	}()
	return nil
}

func receive(stream grpc.ClientStream, c *counters) error {
	var size int
	for first := true; ; first = false {
		if err := stream.RecvMsg(&size); err != nil {
			return err
		}
		c.add(1, size)
		if first {
			c.connected.Add(1)
		}
	}
}
