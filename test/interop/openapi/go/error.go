package main

import (
	"errors"
	"strings"
	"time"

	openapi "github.com/GIT_USER_ID/GIT_REPO_ID"
)

// errorResult describes a failed call. One that got no error body of the gateway is UNAVAILABLE.
func errorResult(err error) result {
	var refused *openapi.GenericOpenAPIError
	if errors.As(err, &refused) {
		if body, isError := refused.Model().(openapi.Error); isError {
			return bodyResult(body.Error)
		}
	}
	return result{"code": "UNAVAILABLE", "reason": ""}
}

func bodyResult(body openapi.ErrorBody) result {
	line := result{"code": body.Status, "reason": ""}
	for _, detail := range body.Details {
		switch detail.Type[strings.LastIndex(detail.Type, ".")+1:] {
		case "ErrorInfo":
			line["reason"] = detail.GetReason()
			if detail.Metadata != nil && detail.Metadata.Dialled != nil {
				line["dialled"] = *detail.Metadata.Dialled
			}
		case "BadRequest":
			line["fields"] = fields(detail.FieldViolations)
		case "RetryInfo":
			if delay, err := time.ParseDuration(detail.GetRetryDelay()); err == nil {
				line["retry_after_ms"] = delay.Milliseconds()
			}
		}
	}
	return line
}

func fields(violations []openapi.FieldViolation) []string {
	names := make([]string, 0, len(violations))
	for _, violation := range violations {
		names = append(names, violation.Field)
	}
	return names
}
