package bench_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/feed/feedtest"
	"github.com/audian/participant-gateway/internal/grpcapi"
	"github.com/audian/participant-gateway/internal/interceptor"
	"github.com/audian/participant-gateway/internal/metrics"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/service"
	"github.com/audian/participant-gateway/internal/watch"
)

const (
	// eventsPerSecond is how often the participant of the conference changes.
	eventsPerSecond = 20
	// streamsWarmUp and streamsMeasured are the two parts of a round.
	streamsWarmUp   = 3 * time.Second
	streamsMeasured = 6 * time.Second

	roleVariable    = "BENCH_GRPC_STREAMS"
	profileVariable = "BENCH_GRPC_STREAMS_PROFILE"
)

var benchConnections = grpcapi.Connections{
	HandshakeTimeout: 10 * time.Second, MaxHeaderBytes: 1 << 20, MaxStreams: size,
	PingAfter: 30 * time.Second, PingTimeout: 10 * time.Second,
}

// BenchmarkGRPCStreams measures what a subscriber costs over gRPC: CPU time for each delivered event, and
// memory for each stream. Its baseline is a grpc-go server that sends ready bytes.
func BenchmarkGRPCStreams(b *testing.B) {
	fixed := []grpc.DialOption{grpc.WithInitialWindowSize(1 << 20), grpc.WithInitialConnWindowSize(1 << 20)}
	for _, c := range []struct {
		name    string
		streams int
		options []grpc.DialOption
	}{{"stock", 1, nil}, {"fixed", 1, fixed}, {"shared", 100, nil}} {
		b.Run(c.name, func(b *testing.B) {
			var gateway, plain []streamCost
			for b.Loop() {
				gateway = append(gateway, measureStreams(b, "gateway", c.streams, c.options))
				plain = append(plain, measureStreams(b, "plain", c.streams, c.options))
			}
			g, p := medianCost(gateway), medianCost(plain)
			b.ReportMetric(g.cpu, "gateway-us/event")
			b.ReportMetric(p.cpu, "plain-us/event")
			b.ReportMetric(g.cpu/p.cpu, "cpu-ratio")
			b.ReportMetric(g.memory, "gateway-KB/stream")
			b.ReportMetric(p.memory, "plain-KB/stream")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// streamCost is microseconds for each event, and KB for each stream.
type streamCost struct{ cpu, memory float64 }

func medianCost(costs []streamCost) streamCost {
	of := func(value func(streamCost) float64) float64 {
		var values []float64
		for _, c := range costs {
			values = append(values, value(c))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return streamCost{of(func(c streamCost) float64 { return c.cpu }), of(func(c streamCost) float64 { return c.memory })}
}

// measureStreams starts a server in a process of its own, and subscribes to it.
func measureStreams(b *testing.B, role string, perConnection int, options []grpc.DialOption) streamCost {
	b.Helper()
	server := startStreamServer(b, role)
	defer server.stop()
	before := server.usage(b, "usage")
	live0 := before
	if os.Getenv("BENCH_LIVE") != "" {
		live0 = server.usage(b, "live")
	}
	var received atomic.Int64
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	options = append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.ForceCodecV2(readyCodec{})),
	}, options...)
	for range size / perConnection {
		conn, err := grpc.NewClient(server.address, options...)
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		for range perConnection {
			receiveEvents(ctx, b, conn, &received, &reading)
		}
	}
	time.Sleep(streamsWarmUp)
	from, events := server.usage(b, "usage"), received.Load()
	time.Sleep(streamsMeasured)
	to, delivered := server.usage(b, "usage"), received.Load()-events
	if wanted := float64(size) * float64(rate()) * streamsMeasured.Seconds(); float64(delivered) < wanted*0.95 {
		b.Logf("%s: only %d events of %.0f were delivered", role, delivered, wanted)
	}
	live := server.usage(b, "live")
	b.Logf("live heap %d (base %d) stacks %d", (live.Heap-live0.Heap)*1024/size, live0.Heap, (live.Stacks-live0.Stacks)*1024/size)
	b.Logf("%s: %.2f us, RSS %d KB, heap %d KB, stacks %d KB, %d collections, %d goroutines", role,
		(to.CPU-from.CPU)/float64(delivered), (to.RSS-before.RSS)/size, (to.Heap-before.Heap)/size, (to.Stacks-before.Stacks)/size,
		to.Collections-from.Collections, to.Goroutines)
	return streamCost{cpu: (to.CPU - from.CPU) / float64(delivered), memory: float64(to.RSS-before.RSS) / size}
}

func receiveEvents(ctx context.Context, b *testing.B, conn *grpc.ClientConn, received *atomic.Int64, reading *sync.WaitGroup) {
	b.Helper()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, v2.ParticipantService_WatchParticipants_FullMethodName)
	if err != nil {
		b.Fatal(err)
	}
	request := []byte("\x0a\x0aconf_bench")
	if err := stream.SendMsg(&request); err != nil {
		b.Fatal(err)
	}
	if err := stream.CloseSend(); err != nil {
		b.Fatal(err)
	}
	reading.Go(func() {
		var message []byte
		for stream.RecvMsg(&message) == nil {
			received.Add(1)
		}
	})
}

// streamServer is a server in another process.
type streamServer struct {
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
	address string
}

func startStreamServer(b *testing.B, role string) *streamServer {
	b.Helper()
	s := &streamServer{command: exec.CommandContext(context.WithoutCancel(b.Context()), os.Args[0], "-test.run=^TestGRPCStreamServer$", "-test.v")}
	s.command.Env = append(os.Environ(), roleVariable+"="+role)
	s.command.Stderr = os.Stderr
	var err error
	if s.input, err = s.command.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	output, err := s.command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	s.output = bufio.NewReader(output)
	if err := s.command.Start(); err != nil {
		b.Fatal(err)
	}
	s.address = s.line(b)
	return s
}

// line returns the next line that the server wrote on purpose.
func (s *streamServer) line(b *testing.B) string {
	b.Helper()
	for {
		text, err := s.output.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		if line, ours := strings.CutPrefix(text, "> "); ours {
			return strings.TrimSpace(line)
		}
	}
}

func (s *streamServer) usage(b *testing.B, what string) (u streamUsage) {
	b.Helper()
	if _, err := io.WriteString(s.input, what+"\n"); err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal([]byte(s.line(b)), &u); err != nil {
		b.Fatal(err)
	}
	return u
}

func (s *streamServer) stop() {
	s.input.Close()
	_, _ = io.Copy(io.Discard, s.output)
	_ = s.command.Wait()
}

// streamUsage is CPU time in microseconds, and memory in KB.
type streamUsage struct {
	CPU                     float64
	RSS, Heap, Stacks       int
	Collections, Goroutines int
}

func ownUsage() streamUsage {
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return streamUsage{
		CPU: float64(time.Duration(used.Utime.Nano()+used.Stime.Nano()).Nanoseconds()) / 1e3,
		RSS: rss(), Heap: int(memory.HeapAlloc >> 10), Stacks: int(memory.StackInuse >> 10),
		Collections: int(memory.NumGC), Goroutines: runtime.NumGoroutine(),
	}
}

// rss returns the resident memory of this process, in KB.
func rss() int {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			kb, _ := strconv.Atoi(strings.Fields(value)[0])
			return kb
		}
	}
	return 0
}

// TestGRPCStreamServer is not a test: BenchmarkGRPCStreams runs it as the process of a server, which
// ends with its input.
func TestGRPCStreamServer(t *testing.T) {
	role := os.Getenv(roleVariable)
	if role == "" {
		t.Skip("runs as a part of BenchmarkGRPCStreams")
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, change := gatewayStreams, func(int) {}
	if role == "plain" {
		server = plainStreams
	}
	var serving *grpc.Server
	serving, change = server(t)
	defer serving.Stop()
	go func() { _ = serving.Serve(listener) }()
	go func() {
		for i := 0; ; i++ {
			time.Sleep(time.Second / time.Duration(rate()))
			change(i)
		}
	}()
	fmt.Println("> " + listener.Addr().String())
	profile := startProfile(t, role)
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		if asked.Text() == "live" {
			runtime.GC()
			runtime.GC()
		}
		usage, _ := json.Marshal(ownUsage())
		fmt.Println("> " + string(usage))
	}
	profile()
}

// startProfile profiles the server into files, if the environment names a prefix for them.
func startProfile(t *testing.T, role string) (stop func()) {
	t.Helper()
	prefix := os.Getenv(profileVariable)
	if prefix == "" {
		return func() {}
	}
	if os.Getenv("BENCH_RATE1") != "" {
		runtime.MemProfileRate = 1
	}
	cpu, err := os.Create(prefix + "." + role + ".cpu")
	if err != nil {
		t.Fatal(err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		t.Fatal(err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = cpu.Close()
		for _, name := range []string{"heap", "goroutine"} {
			if file, err := os.Create(prefix + "." + role + "." + name); err == nil {
				_ = pprof.Lookup(name).WriteTo(file, 0)
				_ = file.Close()
			}
		}
	}
}

// streamAccount is the account of every caller.
type streamAccount struct {
	service.Account

	upstream *feedtest.Upstream
}

func (a streamAccount) Fingerprint() participant.Fingerprint { return a.upstream.Fingerprint() }

func (a streamAccount) OpenSource(ctx context.Context, conference string) feed.Source {
	return a.upstream.OpenSource(ctx, conference)
}

func (a streamAccount) For(access.Caller) (service.Account, error) { return a, nil }

// gatewayStreams returns the gateway's gRPC server, with every part that a stream passes through.
func gatewayStreams(t *testing.T) (server *grpc.Server, change func(i int)) {
	t.Helper()
	hub := feed.NewHub(feed.Options{
		PollInterval: time.Hour, MaxPollInterval: time.Hour, Linger: time.Second, History: 4096, Logger: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(hub.Close)
	account := streamAccount{upstream: feedtest.New()}
	account.upstream.Set("part_000001", participant.StatusConnected)
	streams := interceptor.NewStreams(30 * time.Minute)
	checks, err := interceptor.New(interceptor.Options{
		Authenticator: access.NewNoAuth(), Streams: streams, Metrics: metrics.New(), Logger: slog.New(slog.DiscardHandler),
		Phone: interceptor.PhoneRule{LengthOnly: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	watching := service.New(service.Options{Accounts: account, Watcher: watch.NewWatcher(hub, watch.Limits{}), Feeds: hub})
	key := participant.Key{Credential: account.Fingerprint(), Conference: "conf_bench"}
	return grpcapi.New(grpcapi.Options{
			Service: checks.Wrap(watching), Interceptor: checks, Streams: streams, Health: health.NewServer(),
			Connections: benchConnections, MaxAge: 30 * time.Minute,
		}), func(i int) {
			control := participant.ControlMute
			if i%2 == 1 {
				control = participant.ControlUnmute
			}
			hub.BeginControl(context.Background(), key).Done(participant.Controlled{
				Control: control, Item: participant.Item{Participant: participant.Participant{
					ID: "part_000001", Name: "Participant 1 of the benchmark", PhoneNumber: "+12025550100",
				}, Fields: participant.FieldName | participant.FieldPhoneNumber},
			})
		}
}

// readyCodec passes bytes on.
type readyCodec struct{}

func (readyCodec) Name() string { return "proto" }

func (readyCodec) Marshal(message any) (mem.BufferSlice, error) {
	ready, _ := message.(*[]byte)
	return mem.BufferSlice{mem.SliceBuffer(*ready)}, nil
}

func (readyCodec) Unmarshal(data mem.BufferSlice, message any) error {
	if into, ok := message.(*[]byte); ok {
		*into = data.Materialize()
	}
	return nil
}

var _ encoding.CodecV2 = readyCodec{}

// plainEvent is the newest event of the plain server.
type plainEvent struct {
	bytes []byte
	// superseded is closed when there is a newer one.
	superseded chan struct{}
}

// plainStreams returns a grpc-go server whose streams send the same bytes, encoded once.
func plainStreams(*testing.T) (server *grpc.Server, change func(i int)) {
	var newest atomic.Pointer[plainEvent]
	newest.Store(&plainEvent{superseded: make(chan struct{})})
	server = grpc.NewServer(
		grpc.ForceServerCodecV2(readyCodec{}),
		grpc.MaxConcurrentStreams(benchConnections.MaxStreams),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: benchConnections.PingAfter, Timeout: benchConnections.PingTimeout, MaxConnectionAge: 30 * time.Minute,
		}),
	)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: v2.ParticipantService_ServiceDesc.ServiceName,
		HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{
			StreamName: "WatchParticipants", ServerStreams: true,
			Handler: func(_ any, stream grpc.ServerStream) error {
				var request []byte
				if err := stream.RecvMsg(&request); err != nil {
					return err
				}
				for {
					event := newest.Load()
					if err := stream.SendMsg(&event.bytes); err != nil {
						return err
					}
					select {
					case <-event.superseded:
					case <-stream.Context().Done():
						return stream.Context().Err()
					}
				}
			},
		}},
	}, nil)
	return server, func(i int) {
		superseded := newest.Load().superseded
		newest.Store(&plainEvent{bytes: fmt.Appendf(nil, "%0300d", i), superseded: make(chan struct{})})
		close(superseded)
	}
}

func rate() int {
	n, err := strconv.Atoi(os.Getenv("BENCH_RATE"))
	if err != nil {
		return eventsPerSecond
	}
	return n
}
