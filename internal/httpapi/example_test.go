package httpapi_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/httpapi"
)

// emptyConference is a service whose conferences have no participants.
type emptyConference struct {
	v2.UnimplementedParticipantServiceServer
}

func (emptyConference) ListParticipants(
	context.Context, *v2.ListParticipantsRequest,
) (*v2.ListParticipantsResponse, error) {
	return &v2.ListParticipantsResponse{}, nil
}

func Example() {
	handler, err := httpapi.New(httpapi.Options{
		Service: emptyConference{},
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server := httptest.NewServer(handler)
	defer server.Close()

	response, err := server.Client().Get(server.URL + "/v2/conferences/conf_1/participants")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	fmt.Println(response.Status, string(body), err)
	// Output: 200 OK {"participants":[],"total":0,"active":0,"next_page_token":""} <nil>
}
