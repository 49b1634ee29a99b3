package httpio

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/audian/participant-gateway/internal/apierror"
)

const (
	// RequestIDHeader identifies a request. Every request has one behind the port's guards.
	RequestIDHeader = "X-Request-Id"
	// TraceparentHeader is the trace context, which every request has as well.
	TraceparentHeader = "Traceparent"
	// JSONType is the media type of REST bodies.
	JSONType = "application/json"
)

// MetadataKey returns the metadata key under which a header reaches the service. All
// other headers are dropped: callers cannot set metadata that only the gateway may add.
// grpc-gateway itself passes Authorization on and reads the deadline in Grpc-Timeout.
func MetadataKey(header string) (key string, passed bool) {
	switch header {
	case "X-Auth-Token", RequestIDHeader, TraceparentHeader, "Accept-Language", "Idempotency-Key":
		return strings.ToLower(header), true
	default:
		return "", false
	}
}

// Incoming returns the metadata of a call that does not come through grpc-gateway: the
// same that grpc-gateway would pass on.
func Incoming(header http.Header) metadata.MD {
	md := metadata.MD{}
	for name, values := range header {
		if key, passed := MetadataKey(name); passed {
			md[key] = values
		}
	}
	if authorization := header.Values("Authorization"); len(authorization) > 0 {
		md["authorization"] = authorization
	}
	return md
}

// outgoing are the headers that the service may set on a response, by their metadata keys.
var outgoing = map[string]string{
	"x-request-id":         RequestIDHeader,
	"traceparent":          TraceparentHeader,
	"idempotency-replayed": "Idempotency-Replayed",
	"participant-source":   "Participant-Source",
}

// SetOutgoing sets the response headers from the service's header metadata.
func SetOutgoing(header http.Header, md metadata.MD) {
	for key, values := range md {
		name, passed := outgoing[key]
		if !passed || len(values) == 0 {
			continue
		}
		if value := values[len(values)-1]; header.Get(name) != value {
			header.Set(name, value)
		}
	}
}

// UnaryStream is the gRPC stream of a unary call over HTTP: it sets the response's headers. A call's status
// contains how it ended, so that there are no trailers.
type UnaryStream http.Header

// Method is not used over HTTP.
func (UnaryStream) Method() string { return "" }

// SetHeader sets headers of a response that has not started.
func (s UnaryStream) SetHeader(md metadata.MD) error {
	SetOutgoing(http.Header(s), md)
	return nil
}

// SendHeader does not send yet: the response or error decides the status.
func (s UnaryStream) SendHeader(md metadata.MD) error { return s.SetHeader(md) }

// SetTrailer does nothing.
func (UnaryStream) SetTrailer(metadata.MD) error { return nil }

// address is the network address of a client as net/http names it.
type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

// PeerOf returns the client of a request, as gRPC's server does.
func PeerOf(r *http.Request) *peer.Peer {
	known := &peer.Peer{Addr: address(r.RemoteAddr)}
	if r.TLS != nil {
		known.AuthInfo = credentials.TLSInfo{State: *r.TLS}
	}
	return known
}

var (
	timeoutForm = regexp.MustCompile(`^\d{1,8}[HMSmun]$`)
	// zeroTimeout is a deadline that has passed. grpc-gateway ignores one.
	zeroTimeout = regexp.MustCompile(`^0+[HMSmun]$`)
)

// CheckTimeout refuses a Grpc-Timeout that libraries would refuse without naming the
// header.
func CheckTimeout(text string) error {
	switch {
	case zeroTimeout.MatchString(text):
		return DeadlinePassed()
	case text == "" || timeoutForm.MatchString(text):
		return nil
	}
	return InvalidHeader("grpc-timeout", "must be up to 8 digits and one of H M S m u n")
}

// DeadlinePassed returns the error of a call whose deadline is zero.
func DeadlinePassed() error {
	return &apierror.Error{Reason: apierror.DeadlineExceeded, Message: "the call's deadline has passed"}
}

// MaxHeaders is how large the headers of a request may be. The servers accept larger ones,
// so that the gateway can refuse only that request, with a reason.
const MaxHeaders = 32 << 10

// headerOverhead is what HTTP/2 adds for each header to its text (RFC 9113, 6.5.2).
const headerOverhead = 32

// HeaderSize returns the size of headers as HTTP/2 counts it.
func HeaderSize(header map[string][]string) int {
	size := 0
	for name, values := range header {
		for _, value := range values {
			size += len(name) + len(value) + headerOverhead
		}
	}
	return size
}

// HeadersTooLarge returns the error of a request whose headers are over MaxHeaders.
func HeadersTooLarge() error {
	return &apierror.Error{
		Reason:  apierror.HeadersTooLarge,
		Message: fmt.Sprintf("the headers must be at most %d bytes", MaxHeaders),
	}
}

// SetResponseDefaults sets the headers of every API response: it contains personal data
// that changes at any time.
func SetResponseDefaults(header http.Header) {
	header["Cache-Control"], header["X-Content-Type-Options"] = noStore, noSniff
}

// The values of headers that all responses share: net/http does not change them.
var (
	noStore = []string{"no-store"}
	noSniff = []string{"nosniff"}
)
