package client

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

type batchMessage = v2.BatchAddParticipantsResponse

func accepted() *batchMessage {
	return &batchMessage{Event: &v2.BatchAddParticipantsResponse_Accepted{Accepted: &v2.BatchAccepted{Count: 2}}}
}

func result(index int32, id string) *batchMessage {
	return &batchMessage{Event: &v2.BatchAddParticipantsResponse_Result{Result: &v2.BatchResult{
		Index: index, Outcome: &v2.BatchResult_Participant{Participant: &v2.Participant{Id: id}},
	}}}
}

func failedResult(index int32, err error) *batchMessage {
	return &batchMessage{Event: &v2.BatchAddParticipantsResponse_Result{Result: &v2.BatchResult{
		Index: index, Outcome: &v2.BatchResult_Error{Error: status.Convert(err).Proto()},
	}}}
}

func progress(done int32) *batchMessage {
	return &batchMessage{Event: &v2.BatchAddParticipantsResponse_Progress{Progress: &v2.BatchProgress{Done: done}}}
}

func summary() *batchMessage {
	return &batchMessage{Event: &v2.BatchAddParticipantsResponse_Summary{Summary: &v2.BatchSummary{}}}
}

// eventLine describes an event: `result 0 part_a`.
func eventLine(e BatchEvent) string {
	switch {
	case e.Accepted != nil:
		return "accepted"
	case e.Result != nil && e.Result.Err != nil:
		return strings.Join([]string{"result", strconv.Itoa(e.Result.Index), e.Result.Err.Code.String(), string(e.Result.Err.Dialled)}, " ")
	case e.Result != nil:
		return strings.Join([]string{"result", strconv.Itoa(e.Result.Index), e.Result.Participant.GetId()}, " ")
	case e.Progress != nil:
		return "progress " + strconv.Itoa(int(e.Progress.GetDone()))
	case e.Summary != nil:
		return "summary"
	case e.Disconnected != nil:
		return strings.TrimSpace("disconnected " + e.Disconnected.Reason)
	default:
		return "empty"
	}
}

func TestBatchAdd(t *testing.T) {
	draining := refusal(codes.Unavailable, "DRAINING", "unknown")
	full := refusal(codes.ResourceExhausted, "UPSTREAM_RATE_LIMITED", "no")
	for _, test := range []struct {
		name    string
		options []BatchOption
		batches []batchCall
		want    []string
		// resumed are the `resume` fields of the calls.
		resumed []bool
		// code is that of the error that ends the iteration.
		code codes.Code
	}{
		{
			"whole", nil,
			[]batchCall{{messages: messages(accepted(), result(1, "b"), progress(1), &batchMessage{}, failedResult(0, full), summary())}},
			[]string{"accepted", "result 1 b", "progress 1", "result 0 ResourceExhausted no", "summary"},
			[]bool{false},
			codes.OK,
		},
		{
			"goes on after a break, and gives each outcome once", nil,
			[]batchCall{
				{messages: messages(accepted(), result(1, "b")), err: draining},
				{messages: messages(accepted(), result(1, "b"))},
				{messages: messages(accepted(), result(1, "b"), result(0, "a"), summary())},
			},
			[]string{"accepted", "result 1 b", "disconnected DRAINING", "disconnected STREAM_ENDED", "result 0 a", "summary"},
			[]bool{false, true, true},
			codes.OK,
		},
		{
			"an entry that was not dialled is tried again", nil,
			[]batchCall{
				{messages: messages(accepted(), failedResult(0, full), failedResult(1, full)), err: draining},
				{messages: messages(accepted(), failedResult(0, full), result(1, "b"), summary())},
			},
			[]string{"accepted", "result 0 ResourceExhausted no", "result 1 ResourceExhausted no", "disconnected DRAINING", "result 1 b", "summary"},
			[]bool{false, true},
			codes.OK,
		},
		{
			"a refused batch begins again", nil,
			[]batchCall{{err: refusal(codes.Unavailable, "DRAINING", "no")}, {messages: messages(accepted(), summary())}},
			[]string{"disconnected DRAINING", "accepted", "summary"},
			[]bool{false, false},
			codes.OK,
		},
		{
			"an unknown outcome never begins again", nil,
			[]batchCall{{err: status.Error(codes.Unavailable, "reset")}, {err: refusal(codes.Unavailable, "DRAINING", "no")}, {err: refusal(codes.FailedPrecondition, "BATCH_UNKNOWN", "unknown")}},
			[]string{"disconnected"},
			[]bool{false, true, true},
			codes.FailedPrecondition,
		},
		{
			"a batch that has begun never begins again", nil,
			[]batchCall{{messages: messages(accepted()), err: full}, {messages: messages(accepted(), summary())}},
			[]string{"accepted", "disconnected UPSTREAM_RATE_LIMITED", "summary"},
			[]bool{false, true},
			codes.OK,
		},
		{
			"silence", nil,
			[]batchCall{{messages: messages(accepted()), silent: true}, {messages: messages(accepted(), summary())}},
			[]string{"accepted", "disconnected SILENT", "summary"},
			[]bool{false, true},
			codes.OK,
		},
		{
			"invalid", nil,
			[]batchCall{{err: refusal(codes.InvalidArgument, "INVALID_REQUEST", "no")}},
			nil,
			[]bool{false},
			codes.InvalidArgument,
		},
		{
			"a long delay", nil,
			[]batchCall{{err: refusal(codes.ResourceExhausted, "DAILY_LIMIT", "no", retryInfo(time.Hour))}},
			nil,
			[]bool{false},
			codes.ResourceExhausted,
		},
		{
			"an earlier batch",
			[]BatchOption{RequestID("mine"), ResumeBatch()},
			[]batchCall{{messages: messages(accepted(), summary())}},
			[]string{"accepted", "summary"},
			[]bool{true},
			codes.OK,
		},
		{
			"validation alone is not resumed",
			[]BatchOption{ValidateOnly()},
			[]batchCall{{messages: messages(accepted()), err: draining}, {messages: messages(accepted(), summary())}},
			[]string{"accepted", "disconnected DRAINING", "summary"},
			[]bool{false, false},
			codes.OK,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gateway{batches: test.batches}
				got, err := addAll(t.Context(), g.serve(t), test.options...)
				equal(t, "events", got, test.want)
				if status.Code(err) != test.code {
					t.Errorf("the iteration ended with %v", err)
				}
				if own, ok := AsError(err); err != nil && (!ok || own.Dialled == DialledAbsent) {
					t.Errorf("the error does not say whether a phone may ring: %v", err)
				}
				equal(t, "resumed", g.resumed(), test.resumed)
				g.sameRequest(t)
			})
		})
	}
}

// addAll returns the lines of a whole iteration, and its error.
func addAll(ctx context.Context, c *Client, options ...BatchOption) (lines []string, err error) {
	entries := []*v2.BatchEntry{{PhoneNumber: "+12025550110"}, {PhoneNumber: "+12025550111"}}
	for event, failed := range c.BatchAdd(ctx, "conf", entries, options...) {
		if failed != nil {
			return lines, failed
		}
		lines = append(lines, eventLine(event))
	}
	return lines, nil
}

func (g *gateway) resumed() []bool {
	var resumed []bool
	for _, request := range g.batchRequests {
		resumed = append(resumed, request.GetResume())
	}
	return resumed
}

// sameRequest fails unless all calls have the id and the entries of the first.
func (g *gateway) sameRequest(t *testing.T) {
	t.Helper()
	for _, request := range g.batchRequests {
		if id := request.GetRequestId(); id == "" || id != g.batchRequests[0].GetRequestId() || len(request.GetEntries()) != 2 || request.GetConferenceId() != "conf" {
			t.Errorf("the batch changed: %v", request)
		}
	}
}

// What was not sent has dialled nobody: the batch may begin.
func TestBatchAddBeginsWhenTheGatewayIsReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{batches: []batchCall{{messages: messages(accepted(), summary())}}}
		g.refused.Store(true)
		c := g.serve(t)
		time.AfterFunc(20*time.Second, func() { g.refused.Store(false) })
		got, err := addAll(t.Context(), c, Order(v2.BatchOrder_BATCH_ORDER_AS_GIVEN))
		equal(t, "events", got, []string{"disconnected", "accepted", "summary"})
		if err != nil {
			t.Error(err)
		}
		equal(t, "resumed", g.resumed(), []bool{false})
		if order := g.batchRequests[0].GetOrder(); order != v2.BatchOrder_BATCH_ORDER_AS_GIVEN {
			t.Errorf("order %v", order)
		}
	})
}

func TestBatchAddEndsWithItsCaller(t *testing.T) {
	for _, test := range []struct {
		name  string
		batch batchCall
		end   func(c *Client, cancel context.CancelFunc)
		cause error
	}{
		{"cancel while it receives", batchCall{messages: messages(accepted(), progress(1)), silent: true}, func(_ *Client, cancel context.CancelFunc) { cancel() }, context.Canceled},
		{"close while it receives", batchCall{messages: messages(accepted(), progress(1)), silent: true}, func(c *Client, _ context.CancelFunc) { _ = c.Close() }, nil},
		{"cancel while it waits", batchCall{messages: messages(accepted()), err: refusal(codes.Unavailable, "X", "unknown", retryInfo(time.Minute))}, func(_ *Client, cancel context.CancelFunc) { cancel() }, context.Canceled},
		{"close while it waits", batchCall{messages: messages(accepted()), err: refusal(codes.Unavailable, "X", "unknown", retryInfo(time.Minute))}, func(c *Client, _ context.CancelFunc) { _ = c.Close() }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gateway{batches: []batchCall{test.batch}}
				c := g.serve(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				begun := time.Now()
				time.AfterFunc(time.Second, func() { test.end(c, cancel) })
				_, err := addAll(ctx, c)
				if own, ok := AsError(err); !ok || own.Code != codes.Canceled || test.cause != nil && !errors.Is(err, test.cause) {
					t.Errorf("the iteration ended with %v", err)
				}
				if took := time.Since(begun); took != time.Second {
					t.Errorf("ended after %v", took)
				}
			})
		})
	}
}

func TestBatchAddGoesOnInASecondLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{batches: []batchCall{
			{messages: messages(accepted(), result(0, "a"), result(1, "b")), silent: true},
			{messages: messages(accepted(), result(0, "a"), result(1, "b"), summary())},
		}}
		batch := g.serve(t).BatchAdd(t.Context(), "conf", []*v2.BatchEntry{{PhoneNumber: "1"}, {PhoneNumber: "2"}})
		var got []string
		for event, err := range batch {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, eventLine(event)); event.Result != nil {
				break
			}
		}
		for event, err := range batch {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, eventLine(event))
		}
		equal(t, "events", got, []string{"accepted", "result 0 a", "result 1 b", "summary"})
		equal(t, "resumed", g.resumed(), []bool{false, true})
	})
}
