package connectrpc

import (
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
)

// connect-go's own refusals have no ErrorInfo. This file refuses the same requests before
// connect-go does, in the same protocol.

const (
	connectTimeout  = "Connect-Timeout-Ms"
	connectVersion  = "Connect-Protocol-Version"
	connectEncoding = "Connect-Content-Encoding"
	grpcTimeout     = "Grpc-Timeout"
	grpcEncoding    = "Grpc-Encoding"
	contentEncoding = "Content-Encoding"
)

// Prefixes of the media types whose messages have a prefix.
const (
	grpcPrefix   = "application/grpc"
	streamPrefix = "application/connect+"
)

// mediaType returns the type of a request's body, without parameters.
func mediaType(r *http.Request) string {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind
}

// messageEncoding returns the header with the encoding of a request's message; empty if the
// body is the message itself.
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

// checkHeaders refuses an invalid deadline, version or encoding.
func checkHeaders(r *http.Request) error {
	if encoding := messageEncoding(r); encoding != "" {
		if err := httpio.CheckEncoding(encoding, r.Header.Get(encoding)); err != nil {
			return err
		}
	}
	if strings.HasPrefix(mediaType(r), grpcPrefix) {
		return httpio.CheckTimeout(r.Header.Get(grpcTimeout))
	}
	if err := checkMilliseconds(r.Header.Get(connectTimeout)); err != nil {
		return err
	}
	if r.Method == http.MethodGet {
		return checkQuery(r.URL.Query())
	}
	if version := r.Header.Get(connectVersion); version != "" && version != "1" {
		return httpio.InvalidHeader(connectVersion, "must be 1")
	}
	return nil
}

var (
	milliseconds     = regexp.MustCompile(`^\d{1,10}$`)
	zeroMilliseconds = regexp.MustCompile(`^0{1,10}$`)
)

func checkMilliseconds(text string) error {
	switch {
	case zeroMilliseconds.MatchString(text):
		return httpio.DeadlinePassed()
	case text != "" && !milliseconds.MatchString(text):
		return httpio.InvalidHeader(connectTimeout, "must be milliseconds in up to 10 digits")
	}
	return nil
}

// checkQuery checks the query of a GET.
func checkQuery(query url.Values) error {
	switch version, encoding := query.Get("connect"), query.Get("encoding"); {
	case version != "" && version != "v1":
		return httpio.InvalidHeader("connect", "must be v1")
	case encoding != "json" && encoding != "proto":
		return httpio.InvalidHeader("encoding", "must be json or proto")
	case !query.Has("message"):
		return httpio.InvalidHeader("message", "must be given")
	default:
		return httpio.CheckEncoding("compression", query.Get("compression"))
	}
}

// decompressQuery decompresses the message of a GET.
func decompressQuery(query url.Values, limit int) (url.Values, error) {
	message := []byte(query.Get("message"))
	if query.Get("base64") == "1" {
		decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(string(message), "="))
		if err != nil {
			return nil, httpio.InvalidHeader("message", "must be URL-safe base64")
		}
		message = decoded
	}
	message, err := httpio.Decompress(query.Get("compression"), message, limit)
	if err != nil {
		return nil, err
	}
	return url.Values{
		"connect": {"v1"}, "encoding": {query.Get("encoding")},
		"base64": {"1"}, "message": {base64.RawURLEncoding.EncodeToString(message)},
	}, nil
}

// makeAcceptable removes what connect-go itself would refuse in a request with a fault, so that
// the request reaches refuseFault.
func makeAcceptable(r *http.Request) {
	for _, name := range []string{connectTimeout, connectVersion, connectEncoding, grpcTimeout, grpcEncoding, contentEncoding} {
		r.Header.Del(name)
	}
	if r.Method == http.MethodGet {
		r.URL.RawQuery = "encoding=json&message={}"
	}
}

// form is the form in which a method may be called.
type form struct {
	// types are the media types of its protocols, without gRPC's.
	types []string
	// byGet allows calls by GET.
	byGet bool
	// request is the method's request message, which decides whether errors must say that no
	// phone was dialled.
}

var (
	unaryTypes  = []string{"application/json", "application/proto"}
	streamTypes = []string{streamPrefix + "json", streamPrefix + "proto"}
	grpcTypes   = regexp.MustCompile(`^application/grpc(-web)?(\+(proto|json))?$`)
)

// checkForm refuses requests of another form.
func (h *handler) checkForm(next http.Handler, allowed form) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind := mediaType(r)
		switch {
		case r.Method == http.MethodGet && allowed.byGet:
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", allowed.methods())
			h.refuseForm(w, r, http.StatusMethodNotAllowed, &apierror.Error{
				Reason: apierror.MethodNotAllowed, Message: "this method takes " + allowed.methods(),
			})
			return
		case !slices.Contains(allowed.types, kind) && !grpcTypes.MatchString(kind):
			w.Header().Set("Accept-Post", strings.Join(append(allowed.types, grpcPrefix+"-web+proto"), ", "))
			h.refuseForm(w, r, http.StatusUnsupportedMediaType, &apierror.Error{
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
