// Command interop is a client of the conformance test: the Go client that OpenAPI Generator makes. It
// reads commands from the standard input and prints their results.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	openapi "github.com/GIT_USER_ID/GIT_REPO_ID"
)

// command is a line of the standard input.
type command struct {
	ID            string                      `json:"id"`
	Call          string                      `json:"call"`
	URL           string                      `json:"url"`
	Credential    string                      `json:"credential"`
	Conference    string                      `json:"conference"`
	Participant   string                      `json:"participant"`
	PhoneNumber   string                      `json:"phone_number"`
	Name          *string                     `json:"name"`
	Role          *openapi.ParticipantRole    `json:"role"`
	Muted         *bool                       `json:"muted"`
	RequestID     *string                     `json:"request_id"`
	ValidateOnly  *bool                       `json:"validate_only"`
	WaitForAnswer *bool                       `json:"wait_for_answer"`
	Statuses      []openapi.ParticipantStatus `json:"statuses"`
	Roles         []openapi.ParticipantRole   `json:"roles"`
	PageSize      *int32                      `json:"page_size"`
}

// result is a line of the standard output, without its id.
type result map[string]any

func ok() result { return result{"ok": true} }

// client calls the gateway that the last connect named.
type client struct {
	api        *openapi.ParticipantsAPIService
	credential string
}

func main() {
	var c client
	commands := json.NewDecoder(bufio.NewReader(os.Stdin))
	results := json.NewEncoder(os.Stdout)
	for {
		var next command
		if commands.Decode(&next) != nil {
			return
		}
		line := c.serve(next)
		line["id"] = next.ID
		if err := results.Encode(line); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func (c *client) serve(next command) result {
	ctx := context.WithValue(context.Background(), openapi.ContextAPIKeys,
		map[string]openapi.APIKey{"XAuthToken": {Key: c.credential}})
	line, err := c.call(ctx, next)
	if err != nil {
		return result{"error": errorResult(err)}
	}
	return line
}

func (c *client) call(ctx context.Context, next command) (result, error) {
	switch next.Call {
	case "connect":
		c.connect(next)
		return ok(), nil
	case "add":
		return one(c.api.AddParticipant(ctx, next.Conference).AddParticipantRequest(addRequest(next)).Execute())
	case "get":
		return one(c.api.GetParticipant(ctx, next.Conference, next.Participant).Execute())
	case "mute":
		return one(c.api.MuteParticipant(ctx, next.Conference, next.Participant).Execute())
	case "unmute":
		return one(c.api.UnmuteParticipant(ctx, next.Conference, next.Participant).Execute())
	case "hold":
		return one(c.api.HoldParticipant(ctx, next.Conference, next.Participant).Execute())
	case "resume":
		return one(c.api.ResumeParticipant(ctx, next.Conference, next.Participant).Execute())
	case "disconnect":
		return one(c.api.DisconnectParticipant(ctx, next.Conference, next.Participant).Execute())
	case "remove":
		return none(c.api.RemoveParticipant(ctx, next.Conference, next.Participant).Execute())
	case "mute_all":
		return none(c.api.MuteAllParticipants(ctx, next.Conference).Execute())
	case "refresh":
		return none(c.api.RefreshParticipants(ctx, next.Conference).Execute())
	case "list":
		return c.list(ctx, next)
	default:
		return result{"unsupported": true}, nil
	}
}

func (c *client) connect(next command) {
	configuration := openapi.NewConfiguration()
	configuration.Servers = openapi.ServerConfigurations{{URL: next.URL}}
	c.api, c.credential = openapi.NewAPIClient(configuration).ParticipantsAPI, next.Credential
}

func addRequest(next command) openapi.AddParticipantRequest {
	return openapi.AddParticipantRequest{
		PhoneNumber:   next.PhoneNumber,
		Name:          *openapi.NewNullableString(next.Name),
		Role:          *openapi.NewNullableParticipantRole(next.Role),
		Muted:         *openapi.NewNullableBool(next.Muted),
		RequestId:     *openapi.NewNullableString(next.RequestID),
		ValidateOnly:  *openapi.NewNullableBool(next.ValidateOnly),
		WaitForAnswer: *openapi.NewNullableBool(next.WaitForAnswer),
	}
}

// list reads all pages.
func (c *client) list(ctx context.Context, next command) (result, error) {
	call := c.api.ListParticipants(ctx, next.Conference).Statuses(next.Statuses).Roles(next.Roles)
	if next.PageSize != nil {
		call = call.PageSize(*next.PageSize)
	}
	found := []result{}
	for pages := 1; ; pages++ {
		page, _, err := call.Execute()
		if err != nil {
			return nil, err
		}
		for _, participant := range page.Participants {
			found = append(found, participantResult(participant))
		}
		if page.NextPageToken == "" {
			return result{"participants": found, "pages": pages, "total": page.Total, "active": page.Active}, nil
		}
		call = call.PageToken(page.NextPageToken)
	}
}

// one is the result of a call whose response may hold a participant.
func one(participant *openapi.Participant, _ *http.Response, err error) (result, error) {
	switch {
	case err != nil:
		return nil, err
	case participant == nil:
		return ok(), nil
	default:
		return result{"participant": participantResult(*participant)}, nil
	}
}

// none is the result of a call whose response is empty.
func none(_ *http.Response, err error) (result, error) { return ok(), err }

func participantResult(p openapi.Participant) result {
	status := p.Status
	if status == "" {
		status = "unspecified"
	}
	return result{"id": p.Id, "phone_number": p.PhoneNumber, "name": p.Name, "role": p.Role, "status": status, "muted": p.Muted}
}
