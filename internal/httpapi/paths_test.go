package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/wire"
)

func gzipped(text string) string {
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	_, _ = writer.Write([]byte(text))
	_ = writer.Close()
	return compressed.String()
}

func TestBodyEncodings(t *testing.T) {
	const body = `{"phone_number":"+12025551234"}`
	for _, tt := range []struct {
		name, body string
		encoding   []string
		status     int
		want       []string
	}{
		{"plain", body, nil, 200, nil},
		{"identity", body, []string{"identity"}, 200, nil},
		{"gzip", gzipped(body), []string{"gzip"}, 200, nil},
		{"gzip in capitals", gzipped(body), []string{"GZIP"}, 200, nil},
		{"x-gzip", gzipped(body), []string{"x-gzip"}, 200, nil},
		{"byte order mark", "\ufeff" + body, nil, 200, nil},
		{"byte order mark in gzip", gzipped("\ufeff" + body), []string{"gzip"}, 200, nil},
		{"no body", "", []string{"gzip"}, 200, nil},
		{"largest", gzipped(body + strings.Repeat(" ", wire.MaxRequest-len(body))), []string{"gzip"}, 200, nil},
		{"too large after inflating", gzipped(body + strings.Repeat(" ", wire.MaxRequest)), []string{"gzip"}, 400, []string{`"BODY_TOO_LARGE"`, `"dialled":"no"`}},
		{"a bomb", gzipped(strings.Repeat(" ", 1<<20)), []string{"gzip"}, 400, []string{`"BODY_TOO_LARGE"`}},
		{"not gzip", body, []string{"gzip"}, 400, []string{`"INVALID_REQUEST"`, `"field":"body"`}},
		{"cut gzip", gzipped(body)[:20], []string{"gzip"}, 400, []string{`"field":"body"`}},
		{"deflate", body, []string{"deflate"}, 415, []string{`"UNSUPPORTED_ENCODING"`, `"dialled":"no"`}},
		{"br", body, []string{"br"}, 415, []string{`"UNSUPPORTED_ENCODING"`}},
		{"twice", gzipped(gzipped(body)), []string{"gzip, gzip"}, 415, []string{`"UNSUPPORTED_ENCODING"`}},
		{"in two headers", gzipped(gzipped(body)), []string{"gzip", "gzip"}, 415, []string{`"UNSUPPORTED_ENCODING"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			service := newFake(t)
			add := service.add
			service.add = func(ctx context.Context, r *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
				if tt.body != "" && r.GetPhoneNumber() != "+12025551234" {
					t.Errorf("request = %v", r)
				}
				return add(ctx, r)
			}
			headers := []string{isJSONHeader}
			for _, encoding := range tt.encoding {
				headers = append(headers, "Content-Encoding: "+encoding)
			}
			got := call(t, handler(t, service), "POST", participantsPath, tt.body, headers...)
			if got.Status != tt.status || (tt.status == 415) != (got.Header.Get("Accept-Encoding") == "gzip") {
				t.Errorf("response = %+v, want status %d", got, tt.status)
			}
			for _, part := range tt.want {
				if !strings.Contains(got.Body, part) {
					t.Errorf("body = %s, want %s in it", got.Body, part)
				}
			}
		})
	}
}

func TestPaths(t *testing.T) {
	h := handler(t, newFake(t))
	for _, tt := range []struct {
		method, target string
		status         int
		allow          string
	}{
		{"GET", participantsPath + "%3Awatch", 200, ""},
		{"GET", participantsPath + "%3awatch", 200, ""},
		{"POST", participantsPath + "%3Awatch", 405, "GET, HEAD"},
		{"GET", participantsPath + "/", 404, ""},
		{"POST", participantsPath + "/", 404, ""},
		{"GET", watchedPath + "/", 404, ""},
		{"DELETE", onePath + "/", 404, ""},
		{"GET", "/v2/", 404, ""},
		{"GET", "/v2/conferences/", 404, ""},
		{"PUT", participantsPath, 405, "GET, HEAD, POST"},
		{"POST", onePath, 405, "DELETE, GET, HEAD"},
		{"HEAD", participantsPath, 200, ""},
		{"HEAD", onePath, 200, ""},
		{"HEAD", participantsPath + "/x:watch", 200, ""},
		{"GET", participantsPath + "/:watch", 200, ""},
		{"POST", participantsPath + "%3Arefresh", 204, ""},
		{"POST", participantsPath + "%3arefresh", 204, ""},
		{"GET", participantsPath + "%3Arefresh", 405, "POST"},
		{"POST", participantsPath + ":other", 404, ""},
		{"POST", refreshPath + "/", 404, ""},
		{"POST", muteAllPath + "/", 404, ""},
		{"POST", muteAllPath + ":refresh", 404, ""},
		{"POST", onePath + "/mute/", 404, ""},
		{"POST", onePath + "/mute:refresh", 404, ""},
		{"POST", onePath + "/other", 404, ""},
		{"POST", onePath + "/MUTE", 404, ""},
		{"POST", onePath + "/mute-all", 404, ""},
		{"GET", onePath + "/other", 404, ""},
	} {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			got := call(t, h, tt.method, tt.target, "")
			if got.Status != tt.status || got.Header.Get("Allow") != tt.allow {
				t.Errorf("response = %+v, want %d, Allow %q", got, tt.status, tt.allow)
			}
			if tt.status == 404 && !strings.Contains(got.Body, `"ROUTE_NOT_FOUND"`) {
				t.Errorf("body = %s", got.Body)
			}
		})
	}
}

func TestPathIDsMayHaveColons(t *testing.T) {
	for _, id := range []string{"call:1", "call%3A1", "call%3a1"} {
		service := newFake(t)
		remove := service.remove
		service.remove = func(ctx context.Context, r *v2.RemoveParticipantRequest) (*v2.RemoveParticipantResponse, error) {
			if r.GetParticipantId() != "call:1" {
				t.Errorf("%s: request = %v", id, r)
			}
			return remove(ctx, r)
		}
		if got := call(t, handler(t, service), "DELETE", participantsPath+"/"+id, ""); got.Status != 204 {
			t.Errorf("%s: response = %+v", id, got)
		}
	}
}

func TestPathIDsMayLookLikeVerbs(t *testing.T) {
	const conferences = "/v2/conferences/"
	for _, tt := range []struct {
		method, path string
		want         proto.Message
	}{
		{"GET", conferences + "mute-all/participants/mute", &v2.GetParticipantRequest{ConferenceId: "mute-all", ParticipantId: "mute"}},
		{"GET", conferences + "x:refresh/participants/y:refresh", &v2.GetParticipantRequest{ConferenceId: "x:refresh", ParticipantId: "y:refresh"}},
		{"HEAD", conferences + "x:watch/participants/y%3Awatch", &v2.GetParticipantRequest{ConferenceId: "x:watch", ParticipantId: "y:watch"}},
		{"POST", conferences + "x:refresh/participants/mute/mute", &v2.MuteParticipantRequest{ConferenceId: "x:refresh", ParticipantId: "mute"}},
		{"POST", conferences + "x/participants/unmute/hold", &v2.HoldParticipantRequest{ConferenceId: "x", ParticipantId: "unmute"}},
		{"POST", conferences + "participants/participants/participants:refresh/resume", &v2.ResumeParticipantRequest{ConferenceId: "participants", ParticipantId: "participants:refresh"}},
		{"POST", conferences + "mute-all/mute-all", &v2.MuteAllParticipantsRequest{ConferenceId: "mute-all"}},
		{"POST", conferences + "x%3Arefresh/mute-all", &v2.MuteAllParticipantsRequest{ConferenceId: "x:refresh"}},
		{"POST", conferences + "x:refresh/participants:refresh", &v2.RefreshParticipantsRequest{ConferenceId: "x:refresh"}},
		{"POST", conferences + "a%2Fb/participants/..%2fc/disconnect", &v2.DisconnectParticipantRequest{ConferenceId: "a/b", ParticipantId: "../c"}},
		{"POST", conferences + "a%252Fb/participants/%C3%BC/unmute", &v2.UnmuteParticipantRequest{ConferenceId: "a%2Fb", ParticipantId: "ü"}},
	} {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			service := newFake(t)
			service.other = func(_ context.Context, r proto.Message) (*v2.Participant, error) {
				if !proto.Equal(r, tt.want) {
					t.Errorf("request = %T %v, want %v", r, r, tt.want)
				}
				return &v2.Participant{}, nil
			}
			if got := call(t, handler(t, service), tt.method, tt.path, ""); got.Status != 200 && got.Status != 204 {
				t.Errorf("response = %+v", got)
			}
		})
	}
}

func TestInvalidTraceContextIsReplaced(t *testing.T) {
	const valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for sent, kept := range map[string]bool{
		valid: true,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01": false,
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01": false,
		"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01": false,
		strings.ToUpper(valid): false,
		valid + "-x":           false,
		"":                     false,
	} {
		got := call(t, handler(t, newFake(t)), "GET", participantsPath, "", "Traceparent: "+sent).Header.Get("Traceparent")
		if (got == sent) != kept || got == "" {
			t.Errorf("Traceparent = %q after %q", got, sent)
		}
	}
}

func TestLargeHeadersAreRefused(t *testing.T) {
	for _, size := range []int{33 << 10, 300 << 10} {
		got := call(t, handler(t, &fakeService{}), "POST", participantsPath, "{}", isJSONHeader, "X-Large: "+strings.Repeat("a", size))
		if got.Status != 431 || !strings.Contains(got.Body, `"HEADERS_TOO_LARGE"`) || !strings.Contains(got.Body, `"dialled":"no"`) {
			t.Errorf("%d: response = %d %s", size, got.Status, got.Body)
		}
	}
}

func TestPanicIsAnswered(t *testing.T) {
	service := newFake(t)
	service.add = func(context.Context, *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
		panic("no reason")
	}
	got := call(t, handler(t, service), "POST", participantsPath, "{}", isJSONHeader)
	if got.Status != 500 || !strings.Contains(got.Body, `"INTERNAL"`) || !strings.Contains(got.Body, `"dialled":"unknown"`) || strings.Contains(got.Body, "no reason") {
		t.Errorf("response = %+v", got)
	}
}
