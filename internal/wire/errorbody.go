package wire

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"

	"github.com/audian/participant-gateway/internal/apierror"
)

// ErrorBody is the body of an error over HTTP (AIP-193), in one line.
func ErrorBody(st *status.Status) []byte {
	var body errorJSON
	body.Error.Code = HTTPStatus(st)
	body.Error.Status = code.Code(st.Code()).String()
	body.Error.Message = st.Message()
	body.Error.Details = detailsJSON(st)
	// Text from elsewhere is mended rather than refused: an error must be told.
	encoded, err := json.Marshal(body, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return []byte(`{"error":{"code":500,"status":"INTERNAL","message":"` + internalText + `","details":[]}}`)
	}
	return EscapeLineBreaks(encoded)
}

// RetryDelay is when the error invites a later try; zero where it does not.
func RetryDelay(st *status.Status) time.Duration {
	return detail[*errdetails.RetryInfo](st).GetRetryDelay().AsDuration()
}

// Reason is the reason that the error's ErrorInfo names; empty where it has none.
func Reason(st *status.Status) apierror.Reason { return apierror.Reason(info(st).GetReason()) }

type errorJSON struct {
	Error struct {
		Code    int    `json:"code"`
		Status  string `json:"status"`
		Message string `json:"message"`
		Details []any  `json:"details"`
	} `json:"error"`
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
	RetryDelay *span  `json:"retry_delay"`
}

type quotaFailureJSON struct {
	Type       string      `json:"@type"`
	Violations []quotaJSON `json:"violations"`
}

type quotaJSON struct {
	Subject     string `json:"subject"`
	Description string `json:"description"`
}

// detailsJSON tells the kinds of detail that errors here have.
func detailsJSON(st *status.Status) []any {
	var told []any
	for _, one := range st.Details() {
		switch d := one.(type) {
		case *errdetails.ErrorInfo:
			told = append(told, errorInfoJSON{typePrefix + "ErrorInfo", d.GetReason(), d.GetDomain(), d.GetMetadata()})
		case *errdetails.BadRequest:
			told = append(told, badRequestJSON{typePrefix + "BadRequest", violationsJSON(d.GetFieldViolations())})
		case *errdetails.RetryInfo:
			told = append(told, retryInfoJSON{typePrefix + "RetryInfo", (*span)(d.GetRetryDelay())})
		case *errdetails.QuotaFailure:
			told = append(told, quotaFailureJSON{typePrefix + "QuotaFailure", quotasJSON(d.GetViolations())})
		}
	}
	return told
}

func violationsJSON(violations []*errdetails.BadRequest_FieldViolation) []violationJSON {
	told := make([]violationJSON, len(violations))
	for i, v := range violations {
		told[i] = violationJSON{v.GetField(), v.GetDescription(), v.GetReason()}
	}
	return told
}

func quotasJSON(violations []*errdetails.QuotaFailure_Violation) []quotaJSON {
	told := make([]quotaJSON, len(violations))
	for i, v := range violations {
		told[i] = quotaJSON{v.GetSubject(), v.GetDescription()}
	}
	return told
}
