package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

const (
	callerTrace = "0af7651916cd43dd8448eb211c80319c"
	callerSpan  = "b7ad6b7169203331"
	// sampled and unsampled are trace contexts of a caller.
	sampled   = "00-" + callerTrace + "-" + callerSpan + "-01"
	unsampled = "00-" + callerTrace + "-" + callerSpan + "-00"

	addSpan   = "audian.conference.v2.ParticipantService/AddParticipant"
	watchSpan = "audian.conference.v2.ParticipantService/WatchParticipants"
	listSpan  = "audian.conference.v2.ParticipantService/ListParticipants"
	batchSpan = "audian.conference.v2.ParticipantService/BatchAddParticipants"
)

// traced returns a context with the trace context of a caller.
func (g *gateway) traced(traceparent string) context.Context {
	return metadata.AppendToOutgoingContext(g.context(), "traceparent", traceparent)
}

// TestTraceOfAnAddThatLosesItsAnswer follows an add from its caller to the upstream.
func TestTraceOfAnAddThatLosesItsAnswer(t *testing.T) {
	t.Parallel()
	g, c := startTraced(t, simulator.Options{}, nil)
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultLost, Operation: simulator.Add, Times: 1})
	var header metadata.MD
	added, err := g.client.AddParticipant(g.traced(sampled), addRequest(1), grpc.Header(&header))
	if err != nil {
		t.Fatal(err)
	}
	if got := header.Get("traceparent"); len(got) != 1 || got[0] != sampled {
		t.Errorf("the response has the trace context %v, want the caller's", got)
	}
	add := g.one(c, addSpan)
	if add.trace != callerTrace || add.parent != callerSpan || add.GetKind() != trace.Span_SPAN_KIND_SERVER {
		t.Errorf("the call's span is %v", add)
	}
	if add.attribute("conference_id") != conferenceID || add.attribute("code") != "OK" {
		t.Errorf("attributes: %v", add.GetAttributes())
	}
	reconcile := g.one(c, "reconcile add")
	if reconcile.attribute("participant_id") != added.GetParticipant().GetId() {
		t.Errorf("attributes of the search: %v", reconcile.GetAttributes())
	}
	request := g.one(c, "upstream add")
	for _, child := range []span{g.one(c, "queue add"), request, reconcile} {
		if child.trace != callerTrace || child.parent != add.id {
			t.Errorf("%s has the parent %s in the trace %s", child.GetName(), child.parent, child.trace)
		}
	}
	if request.attribute("reason") == "" || request.GetStatus().GetCode() != trace.Status_STATUS_CODE_ERROR || request.GetKind() != trace.Span_SPAN_KIND_CLIENT {
		t.Errorf("the request that lost its answer: %v", request)
	}
	if got := c.sent(http.MethodPost); len(got) != 1 || got[0] != request.traceparent() {
		t.Errorf("the upstream got %v, want the request's span %s", got, request.traceparent())
	}
	g.eventually("a list within the search", func() bool {
		lists := c.where(func(s span) bool { return s.GetName() == "upstream list" && s.parent == reconcile.id })
		return len(lists) > 0 && strings.Contains(strings.Join(c.sent(http.MethodGet), " "), lists[0].traceparent())
	})
}

// TestTraceThatTheGatewayBegins checks that the caller, the log and the upstream have the same ids,
// over a transport that makes them before the call begins.
func TestTraceThatTheGatewayBegins(t *testing.T) {
	t.Parallel()
	g, c := startTraced(t, simulator.Options{}, nil)
	got := g.call("GET", path(""), "")
	list := g.one(c, listSpan)
	if got.header.Get("Traceparent") != list.traceparent() || list.parent != "" {
		t.Errorf("the response has %q, the span is %q", got.header.Get("Traceparent"), list.traceparent())
	}
	request := g.one(c, "upstream list")
	if request.parent != list.id || c.sent(http.MethodGet)[0] != request.traceparent() {
		t.Errorf("the upstream got %v, want %s", c.sent(http.MethodGet), request.traceparent())
	}
}

// TestPollsAreLinkedToTheirCauses checks that polls have traces of their own, linked to the call that
// caused them.
func TestPollsAreLinkedToTheirCauses(t *testing.T) {
	t.Parallel()
	g, c := startTraced(t, simulator.Options{Behaviour: simulator.Still}, []string{"OTEL_TRACES_SAMPLER=parentbased_always_off"})
	stop := g.watchTraced(sampled)
	if _, err := g.client.RefreshParticipants(g.traced(sampled), &v2.RefreshParticipantsRequest{ConferenceId: conferenceID}); err != nil {
		t.Fatal(err)
	}
	if _, err := g.client.AddParticipant(g.traced(sampled), addRequest(1)); err != nil {
		t.Fatal(err)
	}
	causes := map[string]string{}
	g.eventually("a poll for each cause", func() bool {
		for _, poll := range c.named("poll") {
			for _, link := range poll.GetLinks() {
				causes[link.GetAttributes()[0].GetValue().GetStringValue()] = fmt.Sprintf("%x", link.GetSpanId())
			}
			if poll.trace == callerTrace || poll.parent != "" || poll.attribute("conference_id") != conferenceID {
				t.Fatalf("poll: %v", poll)
			}
		}
		return len(causes) == 3
	})
	stop()
	for cause, id := range map[string]string{"first_subscriber": g.one(c, watchSpan).id, "write": g.one(c, addSpan).id} {
		if causes[cause] != id {
			t.Errorf("%s links to %s, want %s", cause, causes[cause], id)
		}
	}
	if polls := c.where(func(s span) bool { return s.GetName() == "poll" && len(s.GetLinks()) == 0 }); len(polls) > 0 {
		t.Errorf("the sampler refuses them, but there are %d polls without a cause", len(polls))
	}
}

// watchTraced watches until stop is called.
func (g *gateway) watchTraced(traceparent string) (stop func()) {
	g.t.Helper()
	ctx, cancel := context.WithCancel(g.traced(traceparent))
	stream, err := g.client.WatchParticipants(ctx, &v2.WatchParticipantsRequest{ConferenceId: conferenceID})
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(cancel)
	return cancel
}

func TestEntriesOfABatchAreLinkedToIt(t *testing.T) {
	t.Parallel()
	g, c := startTraced(t, simulator.Options{}, nil)
	stream, err := g.client.BatchAddParticipants(g.traced(sampled), batchOf(2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readBatch(t, stream.Recv, nil); err != nil {
		t.Fatal(err)
	}
	batch := g.one(c, batchSpan)
	g.eventually("two entries", func() bool { return len(c.named("batch entry")) == 2 && len(c.named("upstream add")) == 2 })
	entries := c.named("batch entry")
	if entries[0].trace == entries[1].trace {
		t.Error("the entries share a trace")
	}
	for _, entry := range entries {
		adds := c.where(func(s span) bool { return s.GetName() == "upstream add" && s.parent == entry.id })
		if entry.link() != batch.id || entry.parent != "" || len(adds) != 1 {
			t.Errorf("an entry links to %q, want %s, and has %d requests", entry.link(), batch.id, len(adds))
		}
	}
}

// TestCallersDecideWhatIsSampled checks that nothing of a call is exported that its caller does not
// sample.
func TestCallersDecideWhatIsSampled(t *testing.T) {
	t.Parallel()
	g, c := startTraced(t, simulator.Options{}, nil)
	for _, traceparent := range []string{unsampled, sampled} {
		if _, err := g.client.AddParticipant(g.traced(traceparent), addRequest(1)); err != nil {
			t.Fatal(err)
		}
	}
	g.one(c, addSpan)
	g.one(c, "upstream add")
	if adds := c.named("upstream add"); len(adds) != 1 || len(c.named(addSpan)) != 1 {
		t.Errorf("exported %v", adds)
	}
	sent := c.sent(http.MethodPost)
	if len(sent) != 2 || !strings.HasPrefix(sent[0], "00-"+callerTrace) || !strings.HasSuffix(sent[0], "-00") || !strings.HasSuffix(sent[1], "-01") {
		t.Errorf("the upstream got %v", sent)
	}
}

// TestNothingIsExportedWhenUnset checks that the caller's trace context passes unchanged, and that
// the collector gets nothing.
func TestNothingIsExportedWhenUnset(t *testing.T) {
	t.Parallel()
	for _, off := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT=", "OTEL_SDK_DISABLED=true", "OTEL_TRACES_EXPORTER=none"} {
		g, c := startTraced(t, simulator.Options{}, []string{off})
		if _, err := g.client.AddParticipant(g.traced(sampled), addRequest(1)); err != nil {
			t.Fatal(err)
		}
		if sent := c.sent(http.MethodPost); len(sent) != 1 || sent[0] != sampled {
			t.Errorf("%s: the upstream got %v, want the caller's", off, sent)
		}
		g.stop()
		<-g.done
		c.mu.Lock()
		if c.requests != 0 {
			t.Errorf("%s: %d requests to the collector", off, c.requests)
		}
		c.mu.Unlock()
	}
}

// TestASilentCollectorDelaysNoDrain drains while the collector does not answer.
func TestASilentCollectorDelaysNoDrain(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // Only then the server notices the end of the request.
		select {
		case asked <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	}))
	defer silent.Close()
	upstream := simulator.New(simulator.Options{})
	environ := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + silent.URL, "OTEL_BSP_SCHEDULE_DELAY=20"}
	g := startWith(t, upstream, upstream.Handler(), environ)
	if _, err := g.client.AddParticipant(g.traced(sampled), addRequest(1)); err != nil {
		t.Fatal(err)
	}
	<-asked
	began := time.Now()
	g.stop()
	<-g.done
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the drain took %v", took)
	}
}
