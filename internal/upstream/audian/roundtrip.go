package audian

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/requestctx"
)

// request is one request without its credential.
type request struct {
	operation Operation
	method    string
	// path contains the segments after the base URL, not escaped.
	path  []string
	query url.Values
	// body is nil if there is none.
	body []byte
	// fast decodes the response's body if it is a success and fast can; it may be nil.
	fast documentReader
	// buffer is for the response's body; it may be nil.
	buffer *bytes.Buffer
}

// conferencePath returns the path of a conference with the segments after it.
func conferencePath(conference string, rest ...string) []string {
	return append([]string{"conferences", conference}, rest...)
}

// namesParticipant reports whether the path goes on after `conferences/…/participants`.
func (r request) namesParticipant() bool { return len(r.path) > 3 }

// encode returns a value's JSON.
func encode(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, &apierror.Error{
			Reason: apierror.Internal, Message: "the request cannot be encoded", NotSent: true,
			Cause: fmt.Errorf("encode body: %w", err),
		}
	}
	return body, nil
}

// call sends a request with the client's credential, and once more if the upstream refused a
// token that can be renewed.
func (c *Client) call(ctx context.Context, r request, pacing Pacing) (*response, error) {
	token, err := c.token(ctx, "")
	if err != nil {
		return nil, err
	}
	resp, err := c.send(ctx, r, token, pacing.Timeout)
	if c.tokens == nil || !isUnauthorized(err) {
		return resp, err
	}
	token, renewal := c.renewToken(ctx, token, pacing)
	switch {
	case errors.Is(renewal, errNotRenewed):
		return nil, err
	case renewal != nil:
		return nil, renewal
	}
	return c.send(ctx, r, token, pacing.Timeout)
}

// renewToken returns another token than the refused one, after pacing allows the request to be sent
// again. The token may change while pacing waits.
func (c *Client) renewToken(ctx context.Context, refused string, pacing Pacing) (string, error) {
	if _, err := c.token(ctx, refused); err != nil {
		return "", err
	}
	if err := pacing.next(ctx); err != nil {
		return "", err
	}
	return c.token(ctx, refused)
}

// isUnauthorized reports whether the response was a 401, also of a proxy: that may check the
// token.
func isUnauthorized(err error) bool {
	return apierror.UpstreamStatusOf(err) == http.StatusUnauthorized
}

// Authenticate exchanges the API key for a token if there is none yet. Its errors are marked as
// those of a call that was not sent.
func (c *Client) Authenticate(ctx context.Context) error {
	_, err := c.token(ctx, "")
	return err
}

// token returns the token to send: another than the refused one, if there is one.
func (c *Client) token(ctx context.Context, refused string) (string, error) {
	if c.tokens == nil {
		return c.options.Credential.Reveal(), nil
	}
	return c.tokens.get(ctx, refused)
}

// send sends a request once, unless ctx has ended.
func (c *Client) send(ctx context.Context, r request, token string, timeout time.Duration) (*response, error) {
	if err := ctx.Err(); err != nil {
		return nil, transportError(ctx, err, true)
	}
	ctx, span := startSpan(ctx, r)
	began := time.Now()
	resp, failed := c.roundTrip(ctx, r, token, timeout)
	result := Result{Operation: r.operation, Elapsed: time.Since(began)}
	if resp != nil {
		if failed == nil {
			failed = c.errorOf(r, resp)
		}
		result.Status, result.Remaining = resp.status, resp.envelope.remaining()
		requestctx.SetUpstreamRequestID(ctx, resp.requestID())
	}
	result.Err = failed
	if c.options.OnResult != nil {
		c.options.OnResult(ctx, result)
	}
	endSpan(span, result, resp)
	if failed != nil {
		return nil, failed
	}
	if c.tokens != nil && r.operation != Exchange {
		c.tokens.recordAccepted(token)
	}
	return resp, nil
}

// roundTrip sends a request and reads its response within a timeout; 0 means none. Both results are set if the body of a 2xx
// could not be read.
func (c *Client) roundTrip(ctx context.Context, r request, token string, timeout time.Duration) (*response, *apierror.Error) {
	own := ctx
	if timeout != 0 {
		var cancel context.CancelFunc
		own, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	own, trace := traceConnection(own)
	out, err := c.build(own, r, token)
	if err != nil {
		return nil, transportError(ctx, err, true)
	}
	// RoundTrip and not Client.Do, which would send the token to the target of a redirect.
	in, err := c.options.Transport.RoundTrip(out)
	if err != nil {
		return nil, transportError(ctx, c.secrets(token).MaskError(err), trace.neverConnected(err))
	}
	defer func() { _ = in.Body.Close() }()
	if !isSuccess(in.StatusCode) {
		defer time.AfterFunc(errorBodyTimeout, func() { _ = in.Body.Close() }).Stop()
	}
	return read(ctx, in, r, c.secrets(token))
}

func (c *Client) build(ctx context.Context, r request, token string) (*http.Request, error) {
	var body io.Reader
	if r.method != http.MethodGet {
		body = bytes.NewReader(r.body)
	}
	out, err := http.NewRequestWithContext(ctx, r.method, "", body)
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	out.URL = c.url(r)
	if r.method == http.MethodGet {
		// net/http repeats a GET after its connection broke, beyond the poll budget (W15), but
		// not one with a body that it cannot read again. It sends nothing for this body. Without
		// the encoding, net/http would start a goroutine that reads the body first.
		out.Body, out.TransferEncoding = emptyBody{}, identity
	}
	out.Header = c.header(ctx, r, token)
	return out, nil
}

// emptyBody is a body that net/http does not know to be empty.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }

// WriteTo writes nothing. Without it, net/http would allocate a buffer of 32 KiB to read the body.
func (emptyBody) WriteTo(io.Writer) (int64, error) { return 0, nil }

func (emptyBody) Close() error { return nil }

// The values of headers that all requests share: net/http does not change them.
var (
	identity  = []string{"identity"} // A body that is sent as it is.
	jsonType  = []string{"application/json"}
	userAgent = []string{"participant-gateway"}
)

// header returns the headers of a request.
func (c *Client) header(ctx context.Context, r request, token string) http.Header {
	header := http.Header{"Accept": jsonType, "User-Agent": userAgent}
	if r.body != nil {
		header["Content-Type"] = jsonType
	}
	c.authenticate(header, token)
	setSafely(header, "X-Request-Id", requestctx.RequestID(ctx))
	setSafely(header, "Traceparent", requestctx.Traceparent(ctx))
	return header
}

func (c *Client) authenticate(header http.Header, token string) {
	switch {
	case token == "":
	case c.options.Header == Bearer:
		header.Set("Authorization", "Bearer "+token)
	default:
		header.Set("X-Auth-Token", token)
	}
}

func setSafely(header http.Header, name, value string) {
	if value != "" && headerSafe(value) {
		header.Set(name, value)
	}
}

// headerSafe reports whether a header can contain value.
func headerSafe(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })
}

// usualSegments is room for the segments of a path; one more than needed costs nothing, one less an allocation.
const usualSegments = 6

func (c *Client) url(r request) *url.URL {
	u := *c.options.BaseURL
	segments := append(make([]string, 0, usualSegments), strings.TrimSuffix(u.Path, "/"))
	escaped := append(make([]string, 0, usualSegments), strings.TrimSuffix(u.EscapedPath(), "/"))
	for _, segment := range r.path {
		segments, escaped = append(segments, segment), append(escaped, url.PathEscape(segment))
	}
	u.Path, u.RawPath = strings.Join(segments, "/"), strings.Join(escaped, "/")
	u.RawQuery, u.Fragment = r.query.Encode(), ""
	return &u
}
