package e2e_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/sync/errgroup"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// batchOf returns a batch of n entries.
func batchOf(n int) *v2.BatchAddParticipantsRequest {
	request := &v2.BatchAddParticipantsRequest{ConferenceId: conferenceID}
	for i := range n {
		request.Entries = append(request.Entries, &v2.BatchEntry{PhoneNumber: fmt.Sprintf("+1202555%04d", i), Name: fmt.Sprintf("Person %d", i)})
	}
	return request
}

// batchSeen is what a stream of a batch has reported.
type batchSeen struct {
	events  []string
	results map[int32]*v2.BatchResult
	summary *v2.BatchSummary
}

// readBatch reads a stream to its end, or until stop returns true.
func readBatch(
	t *testing.T, next func() (*v2.BatchAddParticipantsResponse, error), stop func(batchSeen) bool,
) (seen batchSeen, err error) {
	t.Helper()
	seen.results = map[int32]*v2.BatchResult{}
	for stop == nil || !stop(seen) {
		m, err := next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return seen, err
		}
		switch event := m.GetEvent().(type) {
		case *v2.BatchAddParticipantsResponse_Accepted:
			seen.events = append(seen.events, "accepted")
		case *v2.BatchAddParticipantsResponse_Result:
			seen.events = append(seen.events, "result")
			if seen.results[event.Result.GetIndex()] != nil {
				t.Errorf("entry %d is reported twice", event.Result.GetIndex())
			}
			seen.results[event.Result.GetIndex()] = event.Result
		case *v2.BatchAddParticipantsResponse_Progress:
			seen.events = append(seen.events, "progress")
		case *v2.BatchAddParticipantsResponse_Summary:
			seen.events, seen.summary = append(seen.events, "summary"), event.Summary
		}
	}
	return seen, nil
}

// check checks a batch that has ended.
func (s batchSeen) check(t *testing.T, n, added, failed, unknown int32) {
	t.Helper()
	if len(s.events) == 0 || s.events[0] != "accepted" || s.events[len(s.events)-1] != "summary" || len(s.results) != int(n) {
		t.Errorf("events %v, %d results", s.events, len(s.results))
	}
	if s.summary.GetAdded() != added || s.summary.GetFailed() != failed || s.summary.GetUnknown() != unknown {
		t.Errorf("summary %v", s.summary)
	}
}

func (g *gateway) batch(ctx context.Context, request *v2.BatchAddParticipantsRequest) grpc.ServerStreamingClient[v2.BatchAddParticipantsResponse] {
	g.t.Helper()
	stream, err := g.client.BatchAddParticipants(ctx, request)
	if err != nil {
		g.t.Fatal(err)
	}
	return stream
}

// checkDialledOnce checks that each of the first n numbers was dialled once, and no other.
func (g *gateway) checkDialledOnce(n int) {
	g.t.Helper()
	times := map[string]int{}
	for _, dial := range g.upstream.Dials() {
		times[dial.PhoneNumber]++
	}
	for i := range n {
		if number := fmt.Sprintf("+1202555%04d", i); times[number] != 1 {
			g.t.Errorf("%s was dialled %d times", number, times[number])
		}
	}
	if len(times) != n {
		g.t.Errorf("%d numbers were dialled, want %d", len(times), n)
	}
}

func TestA09_BatchOverEveryTransport(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(*gateway) (batchSeen, error){
		"gRPC": func(g *gateway) (batchSeen, error) {
			return readBatch(g.t, g.batch(g.context(), batchOf(15)).Recv, nil)
		},
		"gRPC gzip": batchCompressed,
		"Connect":   func(g *gateway) (batchSeen, error) { return g.connectBatch() },
		"JSON":      func(g *gateway) (batchSeen, error) { return g.connectBatch(connect.WithProtoJSON()) },
		"gRPC-Web":  func(g *gateway) (batchSeen, error) { return g.connectBatch(connect.WithGRPCWeb()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, simulator.Options{})
			seen, err := read(g)
			if err != nil {
				t.Fatal(err)
			}
			seen.check(t, 15, 15, 0, 0)
			g.checkDialledOnce(15)
			if got := seen.results[3].GetParticipant(); got.GetPhoneNumber() != "+12025550003" || got.GetName() != "Person 3" || got.GetId() == "" {
				t.Errorf("participant %v", got)
			}
		})
	}
}

func batchCompressed(g *gateway) (batchSeen, error) {
	stream, err := g.client.BatchAddParticipants(g.context(), batchOf(15), grpc.UseCompressor("gzip"))
	if err != nil {
		return batchSeen{}, err
	}
	return readBatch(g.t, stream.Recv, nil)
}

func (g *gateway) connectBatch(options ...connect.ClientOption) (batchSeen, error) {
	caller := connect.NewClient[v2.BatchAddParticipantsRequest, v2.BatchAddParticipantsResponse](
		g.http, "http://"+g.server.HTTPAddr()+v2.ParticipantService_BatchAddParticipants_FullMethodName, options...)
	stream, err := caller.CallServerStream(g.context(), connect.NewRequest(batchOf(15)))
	if err != nil {
		return batchSeen{}, err
	}
	return readBatch(g.t, func() (*v2.BatchAddParticipantsResponse, error) {
		if !stream.Receive() {
			return nil, errors.Join(stream.Err(), io.EOF)
		}
		return stream.Msg(), nil
	}, nil)
}

const restBatch = `{"entries":[{"phone_number":"+12025550000","role":"listener"},{"phone_number":"+12025550001","role":"presenter","name":"Ann"},` +
	`{"phone_number":"+12025550002","muted":true}],"order":"presenters_first"}`

func TestA09_BatchOverREST(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultStatus, Operation: simulator.Add, Status: 402, Times: 1})
	got := g.call("POST", path(":batchAdd"), restBatch, "Accept: application/x-ndjson")
	lines := strings.Split(strings.TrimSuffix(got.body, "\n"), "\n")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/x-ndjson" || len(lines) != 5 ||
		lines[0] != `{"accepted":{"count":3,"expected_duration":"0.308s"}}` || lines[4] != `{"summary":{"added":2,"failed":1,"unknown":0}}` {
		t.Errorf("got %d %s", got.status, got.body)
	}
	refused := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, `"error"`) })
	var result struct {
		Result struct {
			Index int             `json:"index"`
			Error json.RawMessage `json:"error"`
		} `json:"result"`
	}
	if err := json.Unmarshal([]byte(lines[max(refused, 0)]), &result); err != nil ||
		!strings.Contains(string(result.Result.Error), `"code":402,"status":"FAILED_PRECONDITION"`) || !strings.Contains(string(result.Result.Error), `"dialled":"no"`) {
		t.Errorf("the refused entry: %v, %s", err, lines[max(refused, 0)])
	}
	if strings.Count(got.body, `"participant":{"id":"`) != 2 {
		t.Errorf("no participant in %s", got.body)
	}
	events := g.call("POST", "/v2/conferences/other/participants%3AbatchAdd", restBatch, "Accept: text/event-stream")
	var names []string
	for line := range strings.Lines(events.body) {
		if name, isName := strings.CutPrefix(line, "event: "); isName {
			names = append(names, strings.TrimSpace(name))
		}
		if strings.HasPrefix(line, "id:") {
			t.Errorf("an id: %s", line)
		}
	}
	if want := []string{"accepted", "result", "result", "result", "summary"}; !slices.Equal(names, want) {
		t.Errorf("events %v in %s", names, events.body)
	}
}

func TestA09_RefusedBatchesDialNobody(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	twice := batchOf(3)
	twice.Entries[2].PhoneNumber = twice.GetEntries()[0].GetPhoneNumber()
	invalid := batchOf(5)
	invalid.Entries[3].PhoneNumber = "+4402079460000"
	invalid.Entries[4].Name = strings.Repeat("x", 101)
	resume := batchOf(1)
	resume.Resume = true
	unknown := batchOf(1)
	unknown.Resume, unknown.RequestId = true, "never"
	for name, tt := range map[string]struct {
		request         *v2.BatchAddParticipantsRequest
		code            codes.Code
		reason, dialled string
		fields          []string
	}{
		"no entry":           {batchOf(0), codes.InvalidArgument, "INVALID_REQUEST", "no", []string{"entries"}},
		"too many entries":   {batchOf(1001), codes.InvalidArgument, "INVALID_REQUEST", "no", []string{"entries"}},
		"one number twice":   {twice, codes.InvalidArgument, "INVALID_REQUEST", "no", []string{"entries[2].phone_number"}},
		"invalid entries":    {invalid, codes.InvalidArgument, "INVALID_REQUEST", "no", []string{"entries[4].name", "entries[3].phone_number"}},
		"resume without id":  {resume, codes.InvalidArgument, "INVALID_REQUEST", "no", []string{"resume"}},
		"resume of no batch": {unknown, codes.FailedPrecondition, "BATCH_UNKNOWN", "unknown", nil},
	} {
		_, err := readBatch(t, g.batch(g.context(), tt.request).Recv, nil)
		details := wantStatus(t, err, tt.code.String(), tt.reason)
		if details["dialled"] != tt.dialled {
			t.Errorf("%s: dialled %q", name, details["dialled"])
		}
		if got := fieldsOf(err); !slices.Equal(got, tt.fields) {
			t.Errorf("%s: fields %v, want %v", name, got, tt.fields)
		}
	}
	got := g.call("POST", path(":batchAdd"), `{"entries":[{"phone_number":"+12025550000","title":"x"}]}`)
	if got.status != http.StatusBadRequest || !strings.Contains(got.body, `"entries[0].title"`) || dialled(t, got) != "no" {
		t.Errorf("unknown field: %d %s", got.status, got.body)
	}
	if dials := g.upstream.Dials(); len(dials) > 0 {
		t.Errorf("dialled %v", dials)
	}
}

// fieldsOf returns the fields that an error names.
func fieldsOf(err error) (fields []string) {
	for _, detail := range status.Convert(err).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, violation := range bad.GetFieldViolations() {
				fields = append(fields, violation.GetField())
			}
		}
	}
	return fields
}

func TestA09_RequestsHaveUpToOneMebibyte(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	large := batchOf(1000)
	for _, entry := range large.GetEntries() {
		entry.Name = strings.Repeat("é", 100)
	}
	large.ValidateOnly = true
	checkValidated := func(name string, seen batchSeen, err error) {
		if err != nil || !slices.Equal(seen.events, []string{"accepted", "summary"}) || seen.summary.GetAdded() != 0 {
			t.Errorf("%s: %v, %v", name, seen.events, err)
		}
	}
	seen, err := readBatch(t, g.batch(g.context(), large).Recv, nil)
	checkValidated("gRPC", seen, err)
	var entries []string
	for _, entry := range large.GetEntries() {
		entries = append(entries, fmt.Sprintf(`{"phone_number":%q,"name":%q}`, entry.GetPhoneNumber(), entry.GetName()))
	}
	body := `{"validate_only":true,"entries":[` + strings.Join(entries, ",") + `]}`
	padded := body + strings.Repeat(" ", 1<<20-len(body))
	for name, got := range map[string]response{
		"plain": g.call("POST", path(":batchAdd"), padded), "gzip": g.call("POST", path(":batchAdd"), gzipped(t, padded), "Content-Encoding: gzip"),
	} {
		if want := `{"accepted":{"count":1000,"expected_duration":"102.5s"}}` + "\n" + `{"summary":{"added":0,"failed":0,"unknown":0}}` + "\n"; got.status != 200 || got.body != want {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := g.call("POST", path(":batchAdd"), padded+" "); got.status != 400 || !strings.Contains(got.body, `"BODY_TOO_LARGE"`) || dialled(t, got) != "no" {
		t.Errorf("too large: %d %s", got.status, got.body)
	}
	if dials := g.upstream.Dials(); len(dials) > 0 {
		t.Errorf("dialled %v", dials)
	}
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var to bytes.Buffer
	w := gzip.NewWriter(&to)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return to.String()
}

// A connection is lost half-way; the batch goes on with resume, over another transport.
func TestA09_ResumeAfterALostConnection(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	request := batchOf(40)
	ctx, lose := context.WithCancel(g.context())
	ctx = metadata.AppendToOutgoingContext(ctx, "idempotency-key", "batch 1")
	if _, err := readBatch(t, g.batch(ctx, request).Recv, func(s batchSeen) bool { return len(s.results) == 15 }); err != nil {
		t.Fatal(err)
	}
	lose()
	request.RequestId, request.Resume = "batch 1", true
	seen, err := readBatch(t, g.batch(g.context(), request).Recv, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen.check(t, 40, 40, 0, 0)
	g.checkDialledOnce(40)
	request.Entries = request.GetEntries()[1:]
	_, err = readBatch(t, g.batch(g.context(), request).Recv, nil)
	wantStatus(t, err, codes.AlreadyExists.String(), "REQUEST_ID_REUSED")
}

// Another process does not hold the batch: a resume dials nobody.
func TestA09_ABatchIsUnknownAfterARestart(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	request := batchOf(40)
	request.RequestId = "batch"
	if _, err := readBatch(t, g.batch(g.context(), request).Recv, func(s batchSeen) bool { return len(s.results) == 12 }); err != nil {
		t.Fatal(err)
	}
	g.restart()
	before := len(g.upstream.Dials())
	request.Resume = true
	_, err := readBatch(t, g.batch(g.context(), request).Recv, nil)
	if details := wantStatus(t, err, codes.FailedPrecondition.String(), "BATCH_UNKNOWN"); details["dialled"] != "unknown" {
		t.Errorf("dialled %q", details["dialled"])
	}
	if n := len(g.upstream.Dials()); n != before || n == 40 {
		t.Errorf("%d were dialled before the restart, %d after it", before, n-before)
	}
}

// A batch has a place beside the other adds: they do not wait for it, and other conferences take turns with it.
// The simulator has no limit of its own: an add that a slow machine makes it refuse would come later.
func TestA09_OtherAddsDoNotWaitForABatch(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{AddsPerSecond: -1})
	stream := g.batch(g.context(), batchOf(60))
	if _, err := readBatch(t, stream.Recv, func(s batchSeen) bool { return len(s.results) == 12 }); err != nil {
		t.Fatal(err)
	}
	var other errgroup.Group
	for i := range 20 {
		other.Go(func() error {
			add := addRequest(1000 + i)
			add.ConferenceId = "conf_other"
			_, err := g.client.AddParticipant(g.context(), add)
			return err
		})
	}
	one := addRequest(2000)
	if _, err := g.client.AddParticipant(g.context(), one); err != nil {
		t.Error(err)
	}
	before := len(g.upstream.Dials())
	if before > 40 {
		t.Errorf("the single add came after %d others", before)
	}
	if err := other.Wait(); err != nil {
		t.Error(err)
	}
	if n := len(g.upstream.Dials()); n > 75 {
		t.Errorf("the other conference's 20 adds came after %d", n)
	}
	seen, err := readBatch(t, stream.Recv, nil)
	if err != nil || seen.summary.GetAdded() != 60 {
		t.Errorf("%v, %v", seen.summary, err)
	}
}

func TestA09_LostAnswersOfEntriesAreReconciled(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultLost, Operation: simulator.Add, Times: 3})
	seen, err := readBatch(t, g.batch(g.context(), batchOf(12)).Recv, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen.check(t, 12, 12, 0, 0)
	g.checkDialledOnce(12)
}

// A drain stops what was not sent. What was sent is reported, then DRAINING.
func TestA09_DrainReportsWhatWasSent(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultLate, Operation: simulator.Add, Latency: 2 * time.Second})
	stream := g.batch(g.context(), batchOf(100))
	g.eventually("some were sent", func() bool { return len(g.upstream.Dials()) >= 10 })
	g.stop()
	seen, err := readBatch(t, stream.Recv, nil)
	if details := wantStatus(t, err, codes.Unavailable.String(), "DRAINING"); details["dialled"] != "unknown" {
		t.Errorf("dialled %q", details["dialled"])
	}
	if dials := len(g.upstream.Dials()); dials != len(seen.results) || dials == 100 {
		t.Errorf("%d dials, %d results", dials, len(seen.results))
	}
}

// The messages arrive one by one, not at the end.
func TestA09_MessagesAreFlushed(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	g.upstream.Inject(simulator.Fault{Kind: simulator.FaultLate, Operation: simulator.Add, Latency: 3 * time.Second})
	began := time.Now()
	resp := g.send("POST", path(":batchAdd"), restBatch)
	defer resp.Body.Close()
	first, err := bufio.NewReader(resp.Body).ReadString('\n')
	if err != nil || !strings.HasPrefix(first, `{"accepted"`) || len(g.upstream.Dials()) == 3 && time.Since(began) > 3*time.Second {
		t.Errorf("%q, %v after %v", first, err, time.Since(began))
	}
}
