package grpcapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/interceptor"
	"github.com/audian/participant-gateway/internal/metrics"
)

const (
	addMethod   = v2.ParticipantService_AddParticipant_FullMethodName
	listMethod  = v2.ParticipantService_ListParticipants_FullMethodName
	watchMethod = v2.ParticipantService_WatchParticipants_FullMethodName

	reflectionMethod = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
)

// rawGRPC is a client that can send any bytes over one connection.
type rawGRPC struct {
	t         *testing.T
	transport *http.Transport
}

// serveRaw serves gRPC in a synctest bubble.
func serveRaw(t *testing.T) (client *rawGRPC, stop func()) {
	t.Helper()
	streams := interceptor.NewStreams(0)
	intercept := interceptor.New(interceptor.Options{
		Authenticator: access.NewNoAuth(), Streams: streams,
		Metrics: metrics.New(), Logger: slog.New(slog.DiscardHandler),
	})
	server := New(Options{
		Service: unreached{}, Interceptor: intercept, Streams: streams, Health: health.NewServer(),
		Connections: Connections{HandshakeTimeout: 10 * time.Second, MaxHeaderBytes: 1 << 20, MaxStreams: 100, PingAfter: time.Minute, PingTimeout: time.Minute},
	})
	listener := bufconn.Listen(1 << 20)
	go server.Serve(listener)
	transport := &http.Transport{
		Protocols: &http.Protocols{}, DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return listener.DialContext(ctx) },
	}
	transport.Protocols.SetUnencryptedHTTP2(true)
	return &rawGRPC{t: t, transport: transport}, func() {
		transport.CloseIdleConnections()
		server.Stop()
	}
}

// unreached is a service that must not be called.
type unreached struct {
	v2.UnimplementedParticipantServiceServer
}

func (unreached) ListParticipants(context.Context, *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
	panic("no reason")
}

// outcome is the result of a raw call.
type outcome struct {
	code    string
	info    *errdetails.ErrorInfo
	reused  bool
	elapsed time.Duration
}

// call sends a call. Each header is "Name: value".
func (c *rawGRPC) call(method string, body io.Reader, headers ...string) outcome {
	c.t.Helper()
	var got outcome
	ctx := httptrace.WithClientTrace(c.t.Context(), &httptrace.ClientTrace{
		GotConn: func(conn httptrace.GotConnInfo) { got.reused = conn.Reused },
	})
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost"+method, body)
	request.Header.Set("Content-Type", "application/grpc")
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	start := time.Now()
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	got.elapsed = time.Since(start)
	end := response.Header
	if end.Get("Grpc-Status") == "" {
		end = response.Trailer
	}
	got.code = end.Get("Grpc-Status")
	details, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(end.Get("Grpc-Status-Details-Bin"), "="))
	var st statuspb.Status
	if err := proto.Unmarshal(details, &st); err != nil {
		c.t.Fatal(err)
	}
	got.info = &errdetails.ErrorInfo{}
	for _, detail := range st.GetDetails() {
		_ = detail.UnmarshalTo(got.info)
	}
	return got
}

// framed is a message with its prefix.
func framed(flags byte, message string) string {
	n := len(message)
	return string([]byte{flags, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + message
}

func compressed(text string) string {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	_, _ = io.WriteString(writer, text)
	_ = writer.Close()
	return buffer.String()
}

func TestA05_GRPCErrorsBeforeTheServiceHaveAnErrorInfo(t *testing.T) {
	empty := framed(0, "")
	for _, tt := range []struct {
		name, method, body string
		headers            []string
		code               codes.Code
		reason             string
	}{
		{"deflate", addMethod, empty, []string{"Grpc-Encoding: deflate"}, codes.Unimplemented, "UNSUPPORTED_ENCODING"},
		{"deflated", addMethod, framed(1, "x"), []string{"Grpc-Encoding: deflate"}, codes.Unimplemented, "UNSUPPORTED_ENCODING"},
		{"snappy", listMethod, empty, []string{"Grpc-Encoding: snappy"}, codes.Unimplemented, "UNSUPPORTED_ENCODING"},
		{"zstd to a stream", watchMethod, empty, []string{"Grpc-Encoding: zstd"}, codes.Unimplemented, "UNSUPPORTED_ENCODING"},
		{"compressed with nothing", addMethod, framed(1, "x"), nil, codes.InvalidArgument, "INVALID_REQUEST"},
		{"compressed with identity", addMethod, framed(1, "x"), []string{"Grpc-Encoding: identity"}, codes.InvalidArgument, "INVALID_REQUEST"},
		{"not gzip", addMethod, framed(1, "x"), []string{"Grpc-Encoding: gzip"}, codes.InvalidArgument, "INVALID_REQUEST"},
		{"a bomb", addMethod, framed(1, compressed(strings.Repeat("x", 1<<20))), []string{"Grpc-Encoding: gzip"}, codes.InvalidArgument, "BODY_TOO_LARGE"},
		{"a large message", addMethod, framed(0, strings.Repeat("x", 300<<10)), nil, codes.InvalidArgument, "BODY_TOO_LARGE"},
		{"a very large message", watchMethod, framed(0, strings.Repeat("x", 5<<20)), nil, codes.InvalidArgument, "BODY_TOO_LARGE"},
		{"odd flags", addMethod, framed(2, ""), nil, codes.InvalidArgument, "INVALID_REQUEST"},
		{"no message", addMethod, "", nil, codes.InvalidArgument, "INVALID_REQUEST"},
		{"no message to a stream", watchMethod, "", nil, codes.InvalidArgument, "INVALID_REQUEST"},
		{"two messages", addMethod, empty + empty, nil, codes.InvalidArgument, "INVALID_REQUEST"},
		{"no protobuf", "/grpc.health.v1.Health/Check", framed(0, "\xff"), nil, codes.InvalidArgument, "INVALID_REQUEST"},
		{"a large message to a stream of requests", reflectionMethod, framed(0, strings.Repeat("x", 300<<10)), nil, codes.InvalidArgument, "BODY_TOO_LARGE"},
		{"no time", addMethod, empty, []string{"Grpc-Timeout: 0n"}, codes.DeadlineExceeded, "DEADLINE_EXCEEDED"},
		{"large metadata", addMethod, empty, []string{"X-Large: " + strings.Repeat("x", 33<<10)}, codes.InvalidArgument, "HEADERS_TOO_LARGE"},
		{"very large metadata", watchMethod, empty, []string{"X-Large: " + strings.Repeat("x", 700<<10)}, codes.InvalidArgument, "HEADERS_TOO_LARGE"},
		{"an unknown method", "/audian.conference.v2.ParticipantService/None", empty, nil, codes.Unimplemented, "METHOD_NOT_ALLOWED"},
		{"an unknown service", "/none.None/None", empty, nil, codes.Unimplemented, "METHOD_NOT_ALLOWED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, stop := serveRaw(t)
				defer stop()
				got := client.call(tt.method, strings.NewReader(tt.body), tt.headers...)
				if got.code != codeText(tt.code) || got.info.GetReason() != tt.reason || got.info.GetDomain() != "participant-gateway" {
					t.Errorf("got %+v, want %v, %s", got, tt.code, tt.reason)
				}
				if wants := map[bool]string{true: "no"}[tt.method == addMethod]; got.info.GetMetadata()["dialled"] != wants {
					t.Errorf("dialled: %v", got.info.GetMetadata())
				}
				if again := client.call("/grpc.health.v1.Health/Check", strings.NewReader(empty)); again.code != "0" || !again.reused {
					t.Errorf("the next call: %+v", again)
				}
			})
		})
	}
}

func codeText(code codes.Code) string {
	return strconv.Itoa(int(code))
}

func TestGRPCTakesGzip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, stop := serveRaw(t)
		defer stop()
		if got := client.call("/grpc.health.v1.Health/Check", strings.NewReader(framed(1, compressed(""))), "Grpc-Encoding: gzip"); got.code != "0" {
			t.Errorf("got %+v", got)
		}
	})
}

// pieces is a body that arrives piece by piece, and ends after the last.
type pieces struct {
	left  []string
	pause time.Duration
	// arrived says that the first of the pieces has begun.
	arrived bool
}

func (p *pieces) Read(into []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	if !p.arrived {
		time.Sleep(p.pause)
	}
	n := copy(into, p.left[0])
	p.left[0], p.arrived = p.left[0][n:], true
	if p.left[0] == "" {
		p.left, p.arrived = p.left[1:], false
	}
	return n, nil
}

func TestGRPCRequestsEndWithoutProgress(t *testing.T) {
	large := framed(0, strings.Repeat("\x00", 60<<10))
	const never = 24 * time.Hour
	for name, tt := range map[string]struct {
		method  string
		body    *pieces
		code    codes.Code
		reason  string
		elapsed time.Duration
	}{
		"nothing comes":               {addMethod, &pieces{left: []string{""}, pause: never}, codes.DeadlineExceeded, "BODY_TOO_SLOW", requestTimeout},
		"nothing comes to a stream":   {watchMethod, &pieces{left: []string{""}, pause: never}, codes.DeadlineExceeded, "BODY_TOO_SLOW", requestTimeout},
		"nothing comes to health":     {"/grpc.health.v1.Health/Check", &pieces{left: []string{""}, pause: never}, codes.DeadlineExceeded, "BODY_TOO_SLOW", requestTimeout},
		"nothing comes to reflection": {reflectionMethod, &pieces{left: []string{""}, pause: never}, codes.DeadlineExceeded, "BODY_TOO_SLOW", requestTimeout},
		"bytes trickle":               {addMethod, &pieces{left: strings.Split(large, ""), pause: 10 * time.Second}, codes.DeadlineExceeded, "BODY_TOO_SLOW", 2 * requestTimeout},
		"slow but steady":             {addMethod, &pieces{left: []string{large[:20<<10], large[20<<10 : 40<<10], large[40<<10:]}, pause: 50 * time.Second}, codes.Unimplemented, "", 200 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, stop := serveRaw(t)
				got := client.call(tt.method, tt.body)
				if got.code != codeText(tt.code) || got.info.GetReason() != tt.reason || got.elapsed > tt.elapsed+time.Second {
					t.Errorf("got %+v, want %v, %s", got, tt.code, tt.reason)
				}
				stop()
				time.Sleep(2 * never) // The client's own writer ends.
			})
		})
	}
}

func TestAPanicOverGRPCEndsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, stop := serveRaw(t)
		defer stop()
		if got := client.call(listMethod, strings.NewReader(framed(0, ""))); got.code != codeText(codes.Internal) || got.info.GetReason() != "INTERNAL" {
			t.Errorf("got %+v", got)
		}
		if again := client.call("/grpc.health.v1.Health/Check", strings.NewReader(framed(0, ""))); again.code != "0" || !again.reused {
			t.Errorf("the next call: %+v", again)
		}
	})
}

func TestGRPCClientsMayPingEveryFiveSeconds(t *testing.T) {
	for every, kept := range map[time.Duration]bool{5 * time.Second: true, 10 * time.Second: true, 2 * time.Second: false} {
		synctest.Test(t, func(t *testing.T) {
			client, stop := serveRaw(t)
			defer stop()
			client.transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: every, PingTimeout: time.Second}
			client.call("/grpc.health.v1.Health/Check", strings.NewReader(framed(0, "")))
			time.Sleep(10 * time.Minute) // Without streams.
			if again := client.call("/grpc.health.v1.Health/Check", strings.NewReader(framed(0, ""))); again.code != "0" || again.reused != kept {
				t.Errorf("pinged every %v: %+v", every, again)
			}
		})
	}
}
