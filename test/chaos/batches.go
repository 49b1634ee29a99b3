package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/test/watchclient"
)

// batch is one batch with its streams (A9). Its entries are audited like other adds.
type batch struct {
	writers *writers
	request *v2.BatchAddParticipantsRequest
	entries []*add
}

// noResult is what the code of an entry begins with whose stream ended before its result.
const noResult = "no result"

// mostEntries is the most entries of a batch.
const mostEntries = 4

// addBatch adds several participants. Most clients lose their connection in between, and go on with
// the batch: at the same process or, with replicas, perhaps at another one.
func (w *writers) addBatch(ctx context.Context, conference string, rng *rand.Rand) {
	began := time.Now()
	first, second := w.harness.pick(), w.harness.pick()
	b := &batch{writers: w, request: &v2.BatchAddParticipantsRequest{ConferenceId: conference}}
	for range 2 + rng.IntN(mostEntries-1) {
		a := w.newAdd(conference)
		b.entries = append(b.entries, a)
		b.request.Entries = append(b.request.Entries, &v2.BatchEntry{
			PhoneNumber: a.phone, Name: callerName(a.phone), Role: v2.ParticipantRole_PARTICIPANT_ROLE_LISTENER,
		})
	}
	b.request.RequestId = "batch " + b.entries[0].phone
	w.harness.results.check("batches", 1)
	cutAfter := rng.IntN(len(b.entries) + 2)
	_ = b.stream(ctx, first, cutAfter) // The results have its end.
	if cutAfter > len(b.entries) {
		return
	}
	b.request.Resume = true
	ended := b.stream(ctx, second, len(b.entries)+1)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range b.entries {
		a.excused = w.harness.cluster != nil && w.harness.cluster.mayForget(began, []*gateway{first, second})
	}
	if ended == nil {
		w.harness.results.check("batches resumed to the end", 1)
	}
	if reason := watchclient.ReasonOf(ended); reason == "BATCH_UNKNOWN" && cutAfter > 0 && !b.mayBeForgotten(began, first, second) {
		w.harness.results.violatef(wrongAnswers, "a batch was resumed, and is unknown: %v", ended)
	}
}

// mayBeForgotten reports whether no gateway has to hold the batch: its process has ended or, with
// replicas, Redis has lost it.
func (b *batch) mayBeForgotten(since time.Time, first, second *gateway) bool {
	cluster := b.writers.harness.cluster
	if cluster == nil {
		return first != second || first.ending.Load()
	}
	return cluster.any(since, time.Now(), 5*time.Second, claimsLost, dataLost, allReplicas, oneReplica)
}

// stream calls, and cuts the connection after some results. It returns why the stream ended early.
func (b *batch) stream(ctx context.Context, g *gateway, cutAfter int) error {
	ctx, cut := context.WithCancel(ctx)
	defer cut()
	reported := make([]bool, len(b.entries))
	stream, err := g.client.BatchAddParticipants(ctx, b.request)
	for results := 0; err == nil && results != cutAfter; {
		var m *v2.BatchAddParticipantsResponse
		if m, err = stream.Recv(); m.GetResult() == nil {
			continue
		}
		results++
		if reported[m.GetResult().GetIndex()] {
			b.writers.harness.results.violatef(inconsistentMessages, "a batch reports entry %d twice", m.GetResult().GetIndex())
		}
		reported[m.GetResult().GetIndex()] = true
		b.answered(m.GetResult())
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	code := status.Code(err)
	b.writers.harness.results.call("BatchAddParticipants", join(code.String(), watchclient.ReasonOf(err)))
	if code == codes.OK && cutAfter > len(b.entries) {
		return nil
	}
	for i, is := range reported {
		if !is {
			b.record(i, answer{code: fmt.Sprintf("%s: %s", noResult, code), dialled: "unknown"})
		}
	}
	return err
}

func (b *batch) answered(result *v2.BatchResult) {
	err := status.ErrorProto(result.GetError())
	reason, dialled := watchclient.InfoOf(err)
	b.record(int(result.GetIndex()), answer{
		code: join(status.Code(err).String(), reason), id: result.GetParticipant().GetId(), dialled: dialled,
	})
}

func (b *batch) record(index int, got answer) {
	b.writers.mu.Lock()
	defer b.writers.mu.Unlock()
	b.entries[index].answers = append(b.entries[index].answers, got)
}
