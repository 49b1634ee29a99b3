package grpcstatus

import (
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/audian/participant-gateway/internal/apierror"
)

// details returns the details of an error's status, ErrorInfo first.
func details(e *apierror.Error) []protoadapt.MessageV1 {
	messages := []protoadapt.MessageV1{errorInfo(e)}
	if len(e.Violations) > 0 {
		messages = append(messages, badRequest(e.Violations[:min(len(e.Violations), apierror.MaxViolations)]))
	}
	if e.RetryAfter > 0 {
		messages = append(messages, &errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)})
	}
	if e.Reason == apierror.AddRateLimited {
		messages = append(messages, addQuota())
	}
	return messages
}

func errorInfo(e *apierror.Error) *errdetails.ErrorInfo {
	metadata := make(map[string]string)
	if e.UpstreamStatus != 0 {
		metadata[upstreamStatusKey] = strconv.Itoa(e.UpstreamStatus)
	}
	if e.UpstreamRequestID != "" {
		metadata[upstreamRequestIDKey] = validUTF8(e.UpstreamRequestID)
	}
	if e.Dialled != "" {
		metadata[dialledKey] = string(e.Dialled)
	}
	return &errdetails.ErrorInfo{Reason: string(e.Reason), Domain: Domain, Metadata: metadata}
}

func badRequest(violations []apierror.Violation) *errdetails.BadRequest {
	fields := make([]*errdetails.BadRequest_FieldViolation, len(violations))
	for i, violation := range violations {
		fields[i] = &errdetails.BadRequest_FieldViolation{
			Field:       validUTF8(violation.Field),
			Description: validUTF8(violation.Message),
			Reason:      ruleReason(violation.Rule),
		}
	}
	return &errdetails.BadRequest{FieldViolations: fields}
}

// ruleReason returns a rule's id in UPPER_SNAKE_CASE, as BadRequest requires.
func ruleReason(rule string) string {
	return strings.ToUpper(strings.ReplaceAll(validUTF8(rule), ".", "_"))
}

// addQuota describes the upstream's limit on adds (A3).
func addQuota() *errdetails.QuotaFailure {
	return &errdetails.QuotaFailure{Violations: []*errdetails.QuotaFailure_Violation{{
		Subject:     "upstream account",
		Description: "the upstream takes 10 adds a second for an account",
	}}}
}
