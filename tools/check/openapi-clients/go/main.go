// Command client-check uses the Go client that OpenAPI Generator makes: one list, one
// add, a get, a mute, a refresh, and the error of an add that is refused.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	openapi "github.com/GIT_USER_ID/GIT_REPO_ID"
)

const conference = "conf_demo"

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string) error {
	configuration := openapi.NewConfiguration()
	configuration.Servers = openapi.ServerConfigurations{{URL: url}}
	api := openapi.NewAPIClient(configuration).ParticipantsAPI

	list, _, err := api.ListParticipants(ctx, conference).Execute()
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	if len(list.Participants) == 0 || int(list.Total) != len(list.Participants) || list.Participants[0].Status == "" {
		return fmt.Errorf("list: %+v", list)
	}

	request := openapi.NewAddParticipantRequest("+12025550199")
	request.SetName("Ada")
	request.SetRole(openapi.LISTENER)
	added, _, err := api.AddParticipant(ctx, conference).AddParticipantRequest(*request).Execute()
	if err != nil {
		return fmt.Errorf("add: %w", err)
	}
	if added.Id == "" || added.PhoneNumber != "+12025550199" || added.Role != "listener" {
		return fmt.Errorf("add: %+v", added)
	}

	if err := control(ctx, api, added.Id); err != nil {
		return err
	}

	_, _, err = api.AddParticipant(ctx, conference).AddParticipantRequest(*openapi.NewAddParticipantRequest("abc")).Execute()
	var refused *openapi.GenericOpenAPIError
	if !errors.As(err, &refused) {
		return fmt.Errorf("bad add: %w", err)
	}
	body, isError := refused.Model().(openapi.Error)
	if !isError {
		return fmt.Errorf("bad add: the error is %T", refused.Model())
	}
	fields := violated(body)
	if len(fields) != 1 || fields[0] != "phone_number" || body.Error.Status != "INVALID_ARGUMENT" {
		return fmt.Errorf("bad add: %v in %+v", fields, body)
	}
	fmt.Printf("%d listed, %s added, %s refused\n", list.Total, added.Id, fields[0])
	return nil
}

func control(ctx context.Context, api *openapi.ParticipantsAPIService, id string) error {
	found, _, err := api.GetParticipant(ctx, conference, id).Execute()
	if err != nil || found.Id != id {
		return fmt.Errorf("get: %+v, %w", found, err)
	}
	muted, _, err := api.MuteParticipant(ctx, conference, id).Execute()
	if err != nil || !muted.Muted {
		return fmt.Errorf("mute: %+v, %w", muted, err)
	}
	if _, err := api.RefreshParticipants(ctx, conference).Execute(); err != nil {
		return fmt.Errorf("refresh: %w", err)
	}
	return nil
}

func violated(body openapi.Error) []string {
	var fields []string
	for _, detail := range body.Error.Details {
		for _, violation := range detail.FieldViolations {
			fields = append(fields, violation.Field)
		}
	}
	return fields
}
