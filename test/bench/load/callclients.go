package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// plainClient keeps connections open, and has a time-out.
var plainClient = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}, Timeout: 10 * time.Second}

// callers is the number of clients that call in turn.
const callers = 20

// call makes one call and returns the size of its response.
type call func(ctx context.Context) (size int, err error)

// callAtRate makes calls at a rate, until ctx ends. If the server is slower, the rate falls.
func callAtRate(ctx context.Context, rate float64, list call, c *counters) {
	interval := time.Duration(callers * float64(time.Second) / rate)
	for i := range callers {
		go func() {
			if pause(ctx, interval*time.Duration(i)/callers) != nil {
				return
			}
			repeat(ctx, interval, list, c)
		}()
	}
}

func repeat(ctx context.Context, interval time.Duration, list call, c *counters) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			size, err := list(ctx)
			if err != nil {
				c.fail(ctx, err)
				return
			}
			c.add(1, size)
		}
	}
}

// listOverGRPC lists a conference over one connection, which ends with ctx.
func listOverGRPC(ctx context.Context, addr, conference string) (call, error) {
	request, err := proto.Marshal(&v2.ListParticipantsRequest{ConferenceId: conference})
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	conn, err := dialGRPC(addr, false)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	return func(ctx context.Context) (size int, err error) {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := conn.Invoke(ctx, v2.ParticipantService_ListParticipants_FullMethodName, request, &size); err != nil {
			return 0, fmt.Errorf("list: %w", err)
		}
		return size, nil
	}, nil
}

// listOverREST lists a conference over HTTP/1.1.
func listOverREST(_ context.Context, addr, conference string) (call, error) {
	return func(ctx context.Context) (int, error) {
		return get(ctx, "http://"+addr+"/v2/conferences/"+conference+"/participants", io.Discard)
	}, nil
}

// get copies a response to w and returns its size.
func get(ctx context.Context, address string, w io.Writer) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("GET: %w", err)
	}
	response, err := plainClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("GET: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	size, err := io.Copy(w, response.Body)
	if err != nil {
		return 0, fmt.Errorf("GET %s: %w", address, err)
	}
	if response.StatusCode != http.StatusOK {
		return 0, errors.New("GET " + address + ": " + response.Status)
	}
	return int(size), nil
}
