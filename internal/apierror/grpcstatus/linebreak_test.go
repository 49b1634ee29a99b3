package grpcstatus

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/audian/participant-gateway/internal/apierror"
)

// lineBreaks are the characters at which some line reader splits.
const lineBreaks = "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029"

func TestHTTPBodyIsOneLine(t *testing.T) {
	const text = "a\u0085b\u2028c\u2029d\ne\rf\vg\fh\x1ci\x1ej"
	failed := From(&apierror.Error{
		Reason: apierror.InvalidRequest, Message: text, UpstreamRequestID: text,
		Violations: []apierror.Violation{{Field: text, Rule: "x", Message: text}},
	})
	for name, st := range map[string]*status.Status{"escaped": failed, "spaced": WithoutLineBreaks(failed)} {
		body := HTTPBody(st)
		if bytes.ContainsAny(body, lineBreaks) {
			t.Errorf("%s: %q", name, body)
		}
		var read struct {
			Error errorJSON `json:"error"`
		}
		if err := json.Unmarshal(body, &read); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if unchanged := read.Error.Message == text; unchanged != (name == "escaped") {
			t.Errorf("%s: message %q", name, read.Error.Message)
		}
	}
}

func TestWithoutLineBreaksChangesNothingElse(t *testing.T) {
	plain := From(&apierror.Error{Reason: apierror.Draining, Message: "draining"})
	if got := WithoutLineBreaks(plain); got != plain {
		t.Errorf("got %v", got)
	}
	broken := From(&apierror.Error{Reason: apierror.UpstreamRefused, Message: "a\u0085b", UpstreamStatus: 418})
	want := From(&apierror.Error{Reason: apierror.UpstreamRefused, Message: "a b", UpstreamStatus: 418})
	if got := WithoutLineBreaks(broken); !proto.Equal(got.Proto(), want.Proto()) {
		t.Errorf("got %v", got)
	}
}
