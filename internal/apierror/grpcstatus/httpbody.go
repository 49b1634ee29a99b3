package grpcstatus

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/jsonformat"
)

// HTTPBody returns the JSON body of an error over HTTP (AIP-193), in one line.
func HTTPBody(st *status.Status) []byte {
	return slices.Concat([]byte(`{"error":`), ErrorObject(st), []byte("}"))
}

// ErrorObject returns the JSON of an error, which HTTPBody contains.
func ErrorObject(st *status.Status) []byte {
	// An error must reach the caller, even if its text is not valid UTF-8.
	encoded, err := json.Marshal(errorJSON{
		Code:    HTTPStatus(st),
		Status:  code.Code(st.Code()).String(),
		Message: st.Message(),
		Details: detailsJSON(st),
	}, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return []byte(`{"code":500,"status":"INTERNAL","message":"internal error","details":[]}`)
	}
	return jsonformat.EscapeLineBreaks(encoded)
}

// RetryDelay returns the delay after which the caller may retry, zero for none.
func RetryDelay(st *status.Status) time.Duration {
	return detail[*errdetails.RetryInfo](st).GetRetryDelay().AsDuration()
}

// Reason returns the reason in the status's ErrorInfo, or the empty reason.
func Reason(st *status.Status) apierror.Reason { return apierror.Reason(info(st).GetReason()) }

// Dialled returns what the status's ErrorInfo says of it, or the empty value.
func Dialled(st *status.Status) apierror.Dialled {
	return apierror.Dialled(info(st).GetMetadata()[dialledKey])
}

type errorJSON struct {
	Code    int    `json:"code"`
	Status  string `json:"status"`
	Message string `json:"message"`
	Details []any  `json:"details"`
}

const typePrefix = "type.googleapis.com/google.rpc."

type errorInfoJSON struct {
	Type     string            `json:"@type"`
	Reason   string            `json:"reason"`
	Domain   string            `json:"domain"`
	Metadata map[string]string `json:"metadata"`
}

type badRequestJSON struct {
	Type            string          `json:"@type"`
	FieldViolations []violationJSON `json:"field_violations"`
}

type violationJSON struct {
	Field       string `json:"field"`
	Description string `json:"description"`
	Reason      string `json:"reason"`
}

type retryInfoJSON struct {
	Type       string `json:"@type"`
	RetryDelay string `json:"retry_delay"`
}

type quotaFailureJSON struct {
	Type       string      `json:"@type"`
	Violations []quotaJSON `json:"violations"`
}

type quotaJSON struct {
	Subject     string `json:"subject"`
	Description string `json:"description"`
}

// detailsJSON encodes the types of details that the gateway uses.
func detailsJSON(st *status.Status) []any {
	var encoded []any
	for _, one := range st.Details() {
		switch d := one.(type) {
		case *errdetails.ErrorInfo:
			encoded = append(encoded, errorInfoJSON{typePrefix + "ErrorInfo", d.GetReason(), d.GetDomain(), d.GetMetadata()})
		case *errdetails.BadRequest:
			encoded = append(encoded, badRequestJSON{typePrefix + "BadRequest", violationsJSON(d.GetFieldViolations())})
		case *errdetails.RetryInfo:
			encoded = append(encoded, retryInfoJSON{typePrefix + "RetryInfo", jsonformat.Duration(d.GetRetryDelay().AsDuration())})
		case *errdetails.QuotaFailure:
			encoded = append(encoded, quotaFailureJSON{typePrefix + "QuotaFailure", quotasJSON(d.GetViolations())})
		}
	}
	return encoded
}

func violationsJSON(violations []*errdetails.BadRequest_FieldViolation) []violationJSON {
	encoded := make([]violationJSON, len(violations))
	for i, v := range violations {
		encoded[i] = violationJSON{v.GetField(), v.GetDescription(), v.GetReason()}
	}
	return encoded
}

func quotasJSON(violations []*errdetails.QuotaFailure_Violation) []quotaJSON {
	encoded := make([]quotaJSON, len(violations))
	for i, v := range violations {
		encoded[i] = quotaJSON{v.GetSubject(), v.GetDescription()}
	}
	return encoded
}
