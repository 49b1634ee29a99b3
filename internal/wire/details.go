package wire

import (
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/audian/participant-gateway/internal/apierror"
)

// details are what an error tells beside its code and message, ErrorInfo first.
func details(e *apierror.Error) []protoadapt.MessageV1 {
	told := []protoadapt.MessageV1{errorInfo(e)}
	if violations := violationsOf(e); len(violations) > 0 {
		told = append(told, badRequest(violations))
	}
	if e.RetryAfter > 0 {
		told = append(told, &errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)})
	}
	if e.Reason == apierror.AddRateLimited {
		told = append(told, addQuota())
	}
	return told
}

func errorInfo(e *apierror.Error) *errdetails.ErrorInfo {
	metadata := make(map[string]string)
	if e.UpstreamStatus != 0 {
		metadata[upstreamStatusKey] = strconv.Itoa(e.UpstreamStatus)
	}
	if e.UpstreamRequestID != "" {
		metadata[upstreamRequestIDKey] = valid(e.UpstreamRequestID)
	}
	if e.Dialled != "" {
		metadata[dialledKey] = string(e.Dialled)
	}
	return &errdetails.ErrorInfo{Reason: string(e.Reason), Domain: Domain, Metadata: metadata}
}

// violationsOf names the field at fault even where the reason already tells it.
func violationsOf(e *apierror.Error) []apierror.Violation {
	field, isToken := tokenFields[e.Reason]
	if len(e.Violations) == 0 && isToken {
		return []apierror.Violation{{Field: field, Rule: "token", Message: e.Message}}
	}
	return e.Violations[:min(len(e.Violations), maxViolations)]
}

var tokenFields = map[apierror.Reason]string{
	apierror.InvalidResumeToken: "resume_token",
	apierror.InvalidPageToken:   "page_token",
}

func badRequest(violations []apierror.Violation) *errdetails.BadRequest {
	told := make([]*errdetails.BadRequest_FieldViolation, len(violations))
	for i, violation := range violations {
		told[i] = &errdetails.BadRequest_FieldViolation{
			Field:       valid(violation.Field),
			Description: valid(violation.Message),
			Reason:      ruleReason(violation.Rule),
		}
	}
	return &errdetails.BadRequest{FieldViolations: told}
}

// ruleReason is a rule's id in the form that BadRequest asks of a reason.
func ruleReason(rule string) string {
	return strings.ToUpper(strings.ReplaceAll(valid(rule), ".", "_"))
}

// addQuota tells A3's limit, which is the upstream's.
func addQuota() *errdetails.QuotaFailure {
	return &errdetails.QuotaFailure{Violations: []*errdetails.QuotaFailure_Violation{{
		Subject:     "upstream account",
		Description: "the upstream takes 10 adds a second for an account",
	}}}
}
