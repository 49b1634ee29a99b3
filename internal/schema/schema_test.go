package schema_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/gen/openapi"
	"github.com/audian/participant-gateway/internal/schema"
)

func get(t *testing.T, method, path string) (status int, contentType string, body []byte) {
	t.Helper()
	recorder := httptest.NewRecorder()
	schema.New().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
	body, err := io.ReadAll(recorder.Body)
	if err != nil {
		t.Fatal(err)
	}
	return recorder.Code, recorder.Header().Get("Content-Type"), body
}

func TestForms(t *testing.T) {
	for _, test := range []struct{ path, contentType, holds string }{
		{"/schema", "text/html; charset=utf-8", `href="/schema/descriptors.binpb"`},
		{"/schema/audian/conference/v2/participant_service.proto", "text/plain; charset=utf-8", "service ParticipantService {"},
		{"/schema/google/rpc/error_details.proto", "text/plain; charset=utf-8", "message ErrorInfo {"},
		{"/schema/google/rpc/status.proto", "text/plain; charset=utf-8", "message Status {"},
		{"/schema/google/rpc/code.proto", "text/plain; charset=utf-8", "enum Code {"},
		{"/schema/proto.zip", "application/zip", "audian/conference/v2/participant_service.proto"},
		{"/schema/openapi.json", "application/json", `"openapi": "3.1`},
		{"/schema/service_config.json", "application/json", "retryPolicy"},
		{"/schema/descriptors.binpb", "application/x-protobuf", "ParticipantService"},
	} {
		status, contentType, body := get(t, http.MethodGet, test.path)
		if status != http.StatusOK || contentType != test.contentType || !strings.Contains(string(body), test.holds) {
			t.Errorf("%s = %d, %s, %d bytes; want %s with %q", test.path, status, contentType, len(body), test.contentType, test.holds)
		}
	}
}

func TestTheIndexNamesEveryForm(t *testing.T) {
	_, _, index := get(t, http.MethodGet, "/schema")
	links := 0
	for part := range strings.SplitSeq(string(index), `href="`) {
		path, _, isLink := strings.Cut(part, `"`)
		if !isLink || !strings.HasPrefix(path, "/") {
			continue
		}
		links++
		if _, about, _ := strings.Cut(part, "<dd>"); strings.HasPrefix(about, "</dd>") {
			t.Errorf("the index does not say what %s is", path)
		}
		if status, _, _ := get(t, http.MethodHead, path); status != http.StatusOK {
			t.Errorf("the index leads to %s, which is %d", path, status)
		}
	}
	if want := len(schema.Pages()) - 1; links != want {
		t.Errorf("the index has %d links, want %d", links, want)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/schema/", http.StatusNotFound},
		{http.MethodGet, "/schema/other", http.StatusNotFound},
		{http.MethodGet, "/schema/participant_service.proto", http.StatusNotFound},
		{http.MethodGet, "/schema/google/rpc", http.StatusNotFound},
		{http.MethodPost, "/schema", http.StatusMethodNotAllowed},
	} {
		if status, _, _ := get(t, test.method, test.path); status != test.want {
			t.Errorf("%s %s = %d, want %d", test.method, test.path, status, test.want)
		}
	}
}

func TestTheDescriptorsStandAlone(t *testing.T) {
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(schema.Descriptors(), &set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatalf("the set lacks an import: %v", err)
	}
	for _, name := range []protoreflect.FullName{
		"audian.conference.v2.ParticipantService", "google.rpc.Status", "google.rpc.BadRequest", "google.rpc.Code", "google.protobuf.Any",
	} {
		if _, err := files.FindDescriptorByName(name); err != nil {
			t.Error(err)
		}
	}
	linked := protodesc.ToFileDescriptorProto(v2.File_audian_conference_v2_participant_service_proto)
	if last := set.GetFile()[len(set.GetFile())-1]; !proto.Equal(last, linked) {
		t.Error("the last file of the set is not the service's own")
	}
	if !bytes.Equal(schema.Descriptors(), schema.Descriptors()) {
		t.Error("two sets differ")
	}
}

func TestTheDocumentIsThatOfTheHTTPPort(t *testing.T) {
	if _, _, body := get(t, http.MethodGet, "/schema/openapi.json"); !bytes.Equal(body, openapi.Document) {
		t.Error("two documents are served")
	}
}
