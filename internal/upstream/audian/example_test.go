package audian_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/upstream/audian"
)

func ExampleClient() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = fmt.Fprint(w, `{"id":"part_1","status":"dialing"}`)
			return
		}
		_, _ = fmt.Fprint(w, `{"participants":[{"id":"part_1","status":"connected"}],"total":1}`)
	}))
	defer server.Close()
	base, err := url.Parse(server.URL + "/v2")
	if err != nil {
		panic(err)
	}
	transport := audian.NewTransport()
	defer transport.CloseIdleConnections()
	client, err := audian.New(audian.Options{
		BaseURL: base, Credential: audian.StaticToken("token"), Transport: transport,
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	added, err := client.Add(ctx, "conf_1", participant.Add{PhoneNumber: "+12025550123"}, audian.Pacing{})
	if err != nil {
		panic(err)
	}
	fmt.Println(added.ID, added.Status)
	list, err := client.List(ctx, "conf_1", audian.Pacing{})
	if err != nil {
		panic(err)
	}
	fmt.Println(list.Items[0].ID, list.Items[0].Status, list.Complete())
	// Output:
	// part_1 dialing
	// part_1 connected true
}
