package replicas_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchclient"
)

// batchOf returns a batch of n entries.
func batchOf(conference string, n int, resume bool) *v2.BatchAddParticipantsRequest {
	request := &v2.BatchAddParticipantsRequest{ConferenceId: conference, RequestId: "batch-1", Resume: resume}
	for i := range n {
		request.Entries = append(request.Entries, &v2.BatchEntry{PhoneNumber: phone(i), Name: "Caller"})
	}
	return request
}

// batch sends a batch, and reads at most this many results, or to the end.
func (r *replica) batch(ctx context.Context, request *v2.BatchAddParticipantsRequest, most int) (results map[int32]*v2.BatchResult, err error) {
	results = map[int32]*v2.BatchResult{}
	stream, err := r.GRPC.BatchAddParticipants(ctx, request)
	for err == nil && len(results) < most {
		var m *v2.BatchAddParticipantsResponse
		if m, err = stream.Recv(); m.GetResult() != nil {
			results[m.GetResult().GetIndex()] = m.GetResult()
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return results, err
}

const all = 1 << 20

// expectEach checks that a batch has a participant for each of n entries, and that each number was dialled once.
func (c *cluster) expectEach(results map[int32]*v2.BatchResult, err error, n int) {
	c.t.Helper()
	if err != nil || len(results) != n {
		c.t.Errorf("%d results, %v", len(results), err)
	}
	for index, result := range results {
		if result.GetParticipant() == nil {
			c.t.Errorf("entry %d: %v", index, result.GetError())
		}
	}
	c.expectDialledOnce(n)
}

func (c *cluster) expectDialledOnce(n int) {
	c.t.Helper()
	times := map[string]int{}
	for _, dial := range c.upstream.Dials() {
		times[dial.PhoneNumber]++
	}
	for i := range n {
		if times[phone(i)] != 1 {
			c.t.Errorf("%s was dialled %d times", phone(i), times[phone(i)])
		}
	}
}

// TestA09_StreamsOfOneBatchOnTwoReplicasSendItOnce also has each stream report every entry (R6).
func TestA09_StreamsOfOneBatchOnTwoReplicasSendItOnce(t *testing.T) {
	t.Parallel()
	c := start(t, 2, options{simulator: unlimited})
	var streams sync.WaitGroup
	for _, r := range c.replicas {
		streams.Go(func() {
			results, err := r.batch(c.context(), batchOf("conf_batch", 40, false), all)
			if err != nil || len(results) != 40 {
				t.Errorf("%d results, %v", len(results), err)
			}
		})
	}
	streams.Wait()
	c.expectDialledOnce(40)
}

// TestA09_AnotherReplicaGoesOnWithABatch kills the replica that sends a batch.
func TestA09_AnotherReplicaGoesOnWithABatch(t *testing.T) {
	t.Parallel()
	c := start(t, 2, options{simulator: unlimited})
	c.upstream.Inject(simulator.Fault{Kind: simulator.FaultStatus, Operation: simulator.Add, Status: 402, Times: 1})
	if results, err := c.replicas[0].batch(c.context(), batchOf("conf_batch", 40, false), 15); err != nil || len(results) != 15 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	c.replicas[0].kill()
	results, err := c.replicas[1].batch(c.context(), batchOf("conf_batch", 40, true), all)
	if err != nil || len(results) != 40 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	times := map[string]int{}
	for _, dial := range c.upstream.Dials() {
		times[dial.PhoneNumber]++
	}
	var refused, unknown int
	for i := range 40 {
		result := results[int32(i)]
		switch reason := reasonOf(result); {
		case reason == "" && times[phone(i)] == 1:
		case reason == "UPSTREAM_PAYMENT_REQUIRED" && times[phone(i)] == 0:
			refused++
		case reason == "ADD_OUTCOME_UNKNOWN" && times[phone(i)] <= 1:
			unknown++ // It was being sent when its replica was killed.
		default:
			t.Errorf("entry %d: %v, dialled %d times", i, result, times[phone(i)])
		}
	}
	if refused != 1 || unknown > 10 {
		t.Errorf("%d refused, %d unknown", refused, unknown)
	}
}

func reasonOf(result *v2.BatchResult) string {
	if result.GetParticipant() != nil {
		return ""
	}
	return watchclient.ReasonOf(status.ErrorProto(result.GetError()))
}

// TestA09_BatchesPauseWhileRedisIsAway stops Redis in the middle of a batch.
func TestA09_BatchesPauseWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	c := start(t, 2, options{simulator: unlimited})
	type ended struct {
		results map[int32]*v2.BatchResult
		err     error
	}
	done := make(chan ended, 1)
	go func() {
		results, err := c.replicas[0].batch(c.context(), batchOf("conf_batch", 50, false), all)
		done <- ended{results, err}
	}()
	eventually(t, "the batch is sent", func() bool { return len(c.upstream.Dials()) >= 10 })
	c.redis.Pause()
	dials := 0
	eventually(t, "the batch pauses", func() bool {
		before := dials
		<-time.After(2 * time.Second)
		dials = len(c.upstream.Dials())
		return dials == before
	})
	if dials == 50 {
		t.Error("the batch did not pause")
	}
	_, err := c.replicas[1].batch(c.context(), batchOf("conf_other", 5, false), all)
	if reason, dialled := watchclient.InfoOf(err); reason != away || dialled != "no" {
		t.Errorf("a new batch without Redis: %v", err)
	}
	c.redis.Continue()
	last := <-done
	c.expectEach(last.results, last.err, 50)
}

// TestA09_ABatchThatRedisLostIsUnknown resumes at a replica that never had the batch.
func TestA09_ABatchThatRedisLostIsUnknown(t *testing.T) {
	t.Parallel()
	c := start(t, 2, options{simulator: unlimited})
	results, err := c.replicas[0].batch(c.context(), batchOf("conf_batch", 5, false), all)
	c.expectEach(results, err, 5)
	if _, err := c.replicas[1].batch(c.context(), batchOf("conf_batch", 4, true), all); watchclient.ReasonOf(err) != "REQUEST_ID_REUSED" {
		t.Errorf("other entries: %v", err)
	}
	results, err = c.replicas[1].batch(c.context(), batchOf("conf_batch", 5, true), all)
	c.expectEach(results, err, 5)
	c.replicas[1].kill()
	c.redis.Do("FLUSHALL")
	c.replicas[1].restart()
	_, err = c.replicas[1].batch(c.context(), batchOf("conf_batch", 5, true), all)
	if reason, dialled := watchclient.InfoOf(err); reason != "BATCH_UNKNOWN" || dialled != "unknown" {
		t.Errorf("after Redis lost its data: %v", err)
	}
	c.expectDialledOnce(5)
}
