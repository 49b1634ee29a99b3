package connectrpc_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/httpapi/httpapitest"
)

func gzipped(text string) string {
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	_, _ = writer.Write([]byte(text))
	_ = writer.Close()
	return compressed.String()
}

// envelope is a message with its prefix.
func envelope(flags byte, message string) string {
	n := len(message)
	return string([]byte{flags, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + message
}

// errorOf returns the ErrorInfo of a response as text, over each protocol.
func errorOf(t *testing.T, got httpapitest.Response) string {
	t.Helper()
	encoded := got.Header.Get("Grpc-Status-Details-Bin")
	if encoded == "" {
		return got.Body
	}
	decoded, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		t.Fatal(err)
	}
	decodedStatus, info := &statuspb.Status{}, &errdetails.ErrorInfo{}
	if err := proto.Unmarshal(decoded, decodedStatus); err != nil || len(decodedStatus.GetDetails()) == 0 {
		t.Fatalf("status %v, %v", decodedStatus, err)
	}
	if err := decodedStatus.GetDetails()[0].UnmarshalTo(info); err != nil {
		t.Fatal(err)
	}
	return `"` + info.GetReason() + `" "dialled":"` + info.GetMetadata()["dialled"] + `"`
}

const (
	isProto   = "Content-Type: application/proto"
	isWeb     = "Content-Type: application/grpc-web+proto"
	isStream  = "Content-Type: application/connect+json"
	noMessage = "\x00\x00\x00\x00\x00"
)

func TestA05_ErrorsBeforeTheServiceHaveAnErrorInfo(t *testing.T) {
	at := serve(t, newFake())
	const bomb = 1 << 20
	for _, tt := range []struct {
		name, method, target, body string
		headers                    []string
		status                     int
		reason                     string
	}{
		{"no time", "POST", addPath, "{}", []string{isJSON, "Connect-Timeout-Ms: 0"}, 504, "DEADLINE_EXCEEDED"},
		{"a time that is none", "POST", addPath, "{}", []string{isJSON, "Connect-Timeout-Ms: soon"}, 400, "INVALID_REQUEST"},
		{"too long a time", "POST", addPath, "{}", []string{isJSON, "Connect-Timeout-Ms: 99999999999"}, 400, "INVALID_REQUEST"},
		{"a negative time", "POST", watchPath, envelope(0, "{}"), []string{isStream, "Connect-Timeout-Ms: -1"}, 200, "INVALID_REQUEST"},
		{"another version", "POST", addPath, "{}", []string{isJSON, "Connect-Protocol-Version: 2"}, 400, "INVALID_REQUEST"},
		{"another version of a stream", "POST", watchPath, envelope(0, "{}"), []string{isStream, "Connect-Protocol-Version: 2"}, 200, "INVALID_REQUEST"},
		{"another encoding", "POST", addPath, "{}", []string{isJSON, "Content-Encoding: br"}, 501, "UNSUPPORTED_ENCODING"},
		{"another encoding of a stream", "POST", watchPath, envelope(0, "{}"), []string{isStream, "Connect-Content-Encoding: br"}, 200, "UNSUPPORTED_ENCODING"},
		{"not gzip", "POST", addPath, "{}", []string{isJSON, "Content-Encoding: gzip"}, 400, "INVALID_REQUEST"},
		{"a bomb", "POST", addPath, gzipped(strings.Repeat(" ", bomb)), []string{isJSON, "Content-Encoding: gzip"}, 400, "BODY_TOO_LARGE"},
		{"a bomb to a stream", "POST", watchPath, envelope(1, gzipped(strings.Repeat(" ", bomb))), []string{isStream, "Connect-Content-Encoding: gzip"}, 200, "BODY_TOO_LARGE"},
		{"incomplete message", "POST", watchPath, envelope(0, "{}")[:6], []string{isStream}, 200, "INVALID_REQUEST"},
		{"two messages", "POST", watchPath, envelope(0, "{}") + envelope(0, "{}"), []string{isStream}, 200, "INVALID_REQUEST"},
		{"another media type", "POST", addPath, "{}", []string{"Content-Type: text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"a stream's media type", "POST", addPath, "{}", []string{isStream}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"an odd codec", "POST", addPath, noMessage, []string{"Content-Type: application/grpc-web+thrift"}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"no media type", "POST", addPath, "{}", nil, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"another verb", "PUT", addPath, "{}", []string{isJSON}, 405, "METHOD_NOT_ALLOWED"},
		{"a write by GET", "GET", addPath + "?encoding=json&message={}", "", nil, 405, "METHOD_NOT_ALLOWED"},

		{"web: no time", "POST", addPath, noMessage, []string{isWeb, "Grpc-Timeout: 0S"}, 200, "DEADLINE_EXCEEDED"},
		{"web: a time that is none", "POST", addPath, noMessage, []string{isWeb, "Grpc-Timeout: soon"}, 200, "INVALID_REQUEST"},
		{"web: another encoding", "POST", addPath, noMessage, []string{isWeb, "Grpc-Encoding: deflate"}, 200, "UNSUPPORTED_ENCODING"},
		{"web: a bomb", "POST", addPath, envelope(1, gzipped(strings.Repeat(" ", bomb))), []string{isWeb, "Grpc-Encoding: gzip"}, 200, "BODY_TOO_LARGE"},
		{"web: compressed with nothing", "POST", addPath, envelope(1, "x"), []string{isWeb}, 200, "INVALID_REQUEST"},
		{"web: nothing", "POST", addPath, "", []string{isWeb}, 200, "INVALID_REQUEST"},

		{"GET: another version", "GET", listPath + "?connect=v2&encoding=json&message={}", "", nil, 400, "INVALID_REQUEST"},
		{"GET: no encoding", "GET", listPath + "?message={}", "", nil, 400, "INVALID_REQUEST"},
		{"GET: another encoding", "GET", listPath + "?encoding=xml&message={}", "", nil, 400, "INVALID_REQUEST"},
		{"GET: no message", "GET", listPath + "?encoding=json", "", nil, 400, "INVALID_REQUEST"},
		{"GET: no base64", "GET", listPath + "?encoding=json&base64=1&message=!", "", nil, 400, "INVALID_REQUEST"},
		{"GET: another compression", "GET", listPath + "?encoding=json&compression=br&message={}", "", nil, 501, "UNSUPPORTED_ENCODING"},
		{"GET: a bomb", "GET", listPath + "?encoding=json&compression=gzip&base64=1&message=" + base64.RawURLEncoding.EncodeToString([]byte(gzipped(strings.Repeat(" ", 1<<20)))), "", nil, 400, "BODY_TOO_LARGE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := call(t, at, tt.method, tt.target, tt.body, tt.headers...)
			body := strings.ReplaceAll(errorOf(t, got), `": "`, `":"`)
			if got.Status != tt.status || !strings.Contains(body, `"`+tt.reason+`"`) {
				t.Errorf("response = %+v, want %d, %s", got, tt.status, tt.reason)
			}
			if isAdd := tt.target == addPath; isAdd && !strings.Contains(body, `"dialled":"no"`) {
				t.Errorf("dialled: %s", body)
			}
			if tt.status == 405 && got.Header.Get("Allow") != "POST" {
				t.Errorf("Allow = %q", got.Header.Get("Allow"))
			}
		})
	}
}

func TestCompressedRequests(t *testing.T) {
	at := serve(t, newFake())
	message, err := proto.Marshal(&v2.ListParticipantsRequest{ConferenceId: "conf_1"})
	if err != nil {
		t.Fatal(err)
	}
	const text = `{"conferenceId":"conf_1"}`
	for _, tt := range []struct {
		name, method, target, body string
		headers                    []string
	}{
		{"JSON", "POST", listPath, gzipped(text), []string{isJSON, "Content-Encoding: gzip"}},
		{"protobuf", "POST", listPath, gzipped(string(message)), []string{isProto, "Content-Encoding: gzip"}},
		{"identity", "POST", listPath, text, []string{isJSON, "Content-Encoding: identity"}},
		{"byte order mark", "POST", listPath, "\ufeff" + text, []string{isJSON}},
		{"web", "POST", listPath, envelope(1, gzipped(string(message))), []string{isWeb, "Grpc-Encoding: gzip"}},
		{"web, not compressed", "POST", listPath, envelope(0, string(message)), []string{isWeb, "Grpc-Encoding: gzip"}},
		{"GET", "GET", listPath + "?encoding=json&compression=gzip&base64=1&message=" + base64.URLEncoding.EncodeToString([]byte(gzipped(text))), "", nil},
		{"GET, not compressed", "GET", listPath + "?connect=v1&encoding=json&message=" + url.QueryEscape(text), "", nil},
	} {
		got := call(t, at, tt.method, tt.target, tt.body, tt.headers...)
		if got.Status != 200 || !strings.Contains(got.Body, "conf_1") {
			t.Errorf("%s: response = %s", tt.name, strconv.Quote(got.Body))
		}
	}
}
