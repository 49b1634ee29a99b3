package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/wire"
)

// api answers the calls of the participants API.
type api struct {
	service v2.ParticipantServiceServer
	logger  *slog.Logger
	screen  func(context.Context, access.Credentials, proto.Message) error
	refused func(apierror.Reason)
	jitter  func(time.Duration) time.Duration
	mux     *runtime.ServeMux
}

const (
	watchVerb = "watch"
	watchPath = "/v2/conferences/{conference_id}/participants:" + watchVerb
)

func newAPI(options Options) (*api, error) {
	a := &api{service: options.Service, logger: options.Logger, screen: options.Screen, refused: options.Refused, jitter: options.Jitter}
	a.mux = runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, marshaler{}),
		runtime.WithMiddlewares(a.reading),
		runtime.WithIncomingHeaderMatcher(incoming),
		runtime.WithOutgoingHeaderMatcher(nothing),
		runtime.WithOutgoingTrailerMatcher(nothing),
		runtime.WithForwardResponseOption(beforeAnswer),
		runtime.WithErrorHandler(a.failCall),
		runtime.WithRoutingErrorHandler(a.failRoute),
		// Each segment is decoded once, after the path was cut at its slashes.
		runtime.WithUnescapingMode(runtime.UnescapingModeAllExceptReserved),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithWriteContentLength(),
	)
	if err := v2.RegisterParticipantServiceHandlerServer(context.Background(), a.mux, asRead{a.service}); err != nil {
		return nil, fmt.Errorf("register the service: %w", err)
	}
	// The later of two handlers for a path is asked first: this one takes the place
	// of the generated one, which cannot stream.
	if err := a.mux.HandlePath(http.MethodGet, watchPath, a.watch); err != nil {
		return nil, fmt.Errorf("register the watch: %w", err)
	}
	if err := a.mux.HandlePath(http.MethodHead, watchPath, a.watchHead); err != nil {
		return nil, fmt.Errorf("register the watch: %w", err)
	}
	return a, nil
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Answers are about people, and true for a moment.
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodHead && !strings.HasSuffix(r.URL.Path, ":"+watchVerb) {
		// net/http leaves out the body of the answer.
		r = r.WithContext(r.Context())
		r.Method = http.MethodGet
	}
	if strings.HasSuffix(r.URL.EscapedPath(), "/") {
		a.refuse(w, r, routeNotFound())
		return
	}
	a.mux.ServeHTTP(w, withColons(r))
}

// withColons gives the request with the colons of its path as they are: percent-encoded
// they mean the same, but grpc-gateway finds no verb then.
func withColons(r *http.Request) *http.Request {
	if r.URL.RawPath == "" {
		return r
	}
	changed := *r
	changed.URL = new(url.URL)
	*changed.URL = *r.URL
	changed.URL.RawPath = encodedColon.Replace(r.URL.RawPath)
	return &changed
}

var encodedColon = strings.NewReplacer("%3A", ":", "%3a", ":")

// beforeAnswer completes the head of an answer; an answer to a remove has no more.
func beforeAnswer(ctx context.Context, w http.ResponseWriter, answer proto.Message) error {
	setOutgoing(w.Header(), ctx)
	if _, isRemove := answer.(*v2.RemoveParticipantResponse); isRemove {
		w.Header().Del("Content-Type")
		w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

// marshaler is the one JSON as grpc-gateway asks for it. It decodes nothing:
// requests were read before grpc-gateway gets them.
type marshaler struct{}

func (marshaler) Marshal(value any) ([]byte, error) {
	message, isMessage := value.(proto.Message)
	if !isMessage {
		return nil, fmt.Errorf("no JSON for %T", value)
	}
	return wire.Marshal(message)
}

func (marshaler) Unmarshal([]byte, any) error { return errors.ErrUnsupported }

func (marshaler) NewDecoder(io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(any) error { return nil })
}

func (m marshaler) NewEncoder(w io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(value any) error {
		encoded, err := m.Marshal(value)
		if err != nil {
			return err
		}
		if _, err := w.Write(encoded); err != nil {
			return fmt.Errorf("write JSON: %w", err)
		}
		return nil
	})
}

func (marshaler) ContentType(any) string { return jsonType }

const jsonType = "application/json"
