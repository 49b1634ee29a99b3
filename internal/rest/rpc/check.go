package rpc

import (
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/rest"
)

// What connect-go refuses before the service is reached has no ErrorInfo. It is refused
// here instead, in the same protocol.

const (
	connectTimeout  = "Connect-Timeout-Ms"
	connectVersion  = "Connect-Protocol-Version"
	connectEncoding = "Connect-Content-Encoding"
	grpcTimeout     = "Grpc-Timeout"
	grpcEncoding    = "Grpc-Encoding"
	contentEncoding = "Content-Encoding"
)

// The prefixes of media types whose bodies are messages with a prefix of their own.
const (
	grpcPrefix   = "application/grpc"
	streamPrefix = "application/connect+"
)

// mediaType is the type of a request's body, without parameters.
func mediaType(r *http.Request) string {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind
}

// messageEncoding is the header with the encoding of a request's one message; empty where
// the body is the message.
func messageEncoding(r *http.Request) string {
	switch kind := mediaType(r); {
	case strings.HasPrefix(kind, grpcPrefix):
		return grpcEncoding
	case strings.HasPrefix(kind, streamPrefix):
		return connectEncoding
	default:
		return ""
	}
}

// checkHeaders says what is wrong with a request's deadline, version or encoding.
func checkHeaders(r *http.Request) error {
	if encoding := messageEncoding(r); encoding != "" {
		if err := rest.CheckEncoding(encoding, r.Header.Get(encoding)); err != nil {
			return err
		}
	}
	if strings.HasPrefix(mediaType(r), grpcPrefix) {
		return rest.CheckTimeout(r.Header.Get(grpcTimeout))
	}
	if err := checkMilliseconds(r.Header.Get(connectTimeout)); err != nil {
		return err
	}
	if r.Method == http.MethodGet {
		return checkQuery(r.URL.Query())
	}
	if version := r.Header.Get(connectVersion); version != "" && version != "1" {
		return invalid(connectVersion, "must be 1")
	}
	return nil
}

var (
	milliseconds   = regexp.MustCompile(`^\d{1,10}$`)
	noMilliseconds = regexp.MustCompile(`^0{1,10}$`)
)

func checkMilliseconds(text string) error {
	switch {
	case noMilliseconds.MatchString(text):
		return &apierror.Error{Reason: apierror.DeadlineExceeded, Message: "the call's deadline has passed"}
	case text != "" && !milliseconds.MatchString(text):
		return invalid(connectTimeout, "must be milliseconds in up to 10 digits")
	}
	return nil
}

// checkQuery checks a call that is a GET.
func checkQuery(query url.Values) error {
	switch version, encoding := query.Get("connect"), query.Get("encoding"); {
	case version != "" && version != "v1":
		return invalid("connect", "must be v1")
	case encoding != "json" && encoding != "proto":
		return invalid("encoding", "must be json or proto")
	case !query.Has("message"):
		return invalid("message", "must be given")
	default:
		return rest.CheckEncoding("compression", query.Get("compression"))
	}
}

// inflateQuery takes the compression off the message of a GET.
func inflateQuery(query url.Values) (url.Values, error) {
	message := []byte(query.Get("message"))
	if query.Get("base64") == "1" {
		decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(string(message), "="))
		if err != nil {
			return nil, invalid("message", "must be URL-safe base64")
		}
		message = decoded
	}
	message, err := rest.Inflate(query.Get("compression"), message)
	if err != nil {
		return nil, err
	}
	return url.Values{
		"connect": {"v1"}, "encoding": {query.Get("encoding")},
		"base64": {"1"}, "message": {base64.RawURLEncoding.EncodeToString(message)},
	}, nil
}

func invalid(name, rule string) error {
	field := strings.ToLower(name)
	return &apierror.Error{
		Reason:     apierror.InvalidRequest,
		Message:    field + " " + rule,
		Violations: []apierror.Violation{{Field: field, Rule: "header", Message: rule}},
	}
}

// readable is the request that connect-go takes in place of one with a fault: it reaches
// the handler's gate, which refuses it.
func readable(r *http.Request) {
	for _, name := range []string{connectTimeout, connectVersion, connectEncoding, grpcTimeout, grpcEncoding, contentEncoding} {
		r.Header.Del(name)
	}
	if r.Method == http.MethodGet {
		r.URL.RawQuery = "encoding=json&message={}"
	}
}

// form is how a method may be called.
type form struct {
	// types are the media types of its protocols, gRPC's left out.
	types []string
	// byGet says that it may be called by GET.
	byGet   bool
	request proto.Message
}

var (
	unaryTypes  = []string{"application/json", "application/proto"}
	streamTypes = []string{streamPrefix + "json", streamPrefix + "proto"}
	grpcTypes   = regexp.MustCompile(`^application/grpc(-web)?(\+(proto|json))?$`)
)

// checked refuses requests of another form with an error of ours.
func (d *door) checked(next http.Handler, allowed form) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind := mediaType(r)
		switch {
		case r.Method == http.MethodGet && allowed.byGet:
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", allowed.methods())
			d.refuseForm(w, r, allowed.request, http.StatusMethodNotAllowed, &apierror.Error{
				Reason: apierror.MethodNotAllowed, Message: "this method takes " + allowed.methods(),
			})
			return
		case !slices.Contains(allowed.types, kind) && !grpcTypes.MatchString(kind):
			w.Header().Set("Accept-Post", strings.Join(append(allowed.types, grpcPrefix+"-web+proto"), ", "))
			d.refuseForm(w, r, allowed.request, http.StatusUnsupportedMediaType, &apierror.Error{
				Reason: apierror.MediaType, Message: "this method takes " + strings.Join(allowed.types, ", ") + ", or gRPC-Web",
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (f form) methods() string {
	if f.byGet {
		return "GET, POST"
	}
	return "POST"
}
