// Package decode decodes the requests of the HTTP transports: REST's body, query and path,
// and proto3 JSON.
//
// Its errors are *apierror.Error with the reason InvalidRequest and one violation for each
// invalid field, so that one response names them all.
package decode

import (
	"errors"
	"mime"
	"net/http"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/wire"
)

// Request decodes the body of a POST, the query and the path of a REST request. It returns
// the invalid fields of a request that can be decoded otherwise, and an error where it
// cannot be decoded at all.
func Request(w http.ResponseWriter, r *http.Request, path map[string]string, request proto.Message) ([]apierror.Violation, error) {
	if err := httpio.CheckTimeout(r.Header.Get("Grpc-Timeout")); err != nil {
		return nil, err
	}
	fromQuery := request
	var inBody error
	if r.Method == http.MethodPost {
		// A call with a body takes no fields from the query.
		fromQuery = &emptypb.Empty{}
		inBody = requestBody(w, r, request)
	}
	var invalid []apierror.Violation
	for _, err := range []error{
		inBody,
		Query(r.URL.RawQuery, fromQuery),
		Path(path, request),
	} {
		fields, ok := InvalidFields(err)
		if !ok {
			return nil, err
		}
		invalid = append(invalid, fields...)
	}
	return invalid, nil
}

// InvalidFields returns the fields that an error of decoding names. It reports false if
// the error concerns more than single fields.
func InvalidFields(err error) (fields []apierror.Violation, ok bool) {
	if err == nil {
		return nil, true
	}
	known, isOurs := errors.AsType[*apierror.Error](err)
	if !isOurs || known.Reason != apierror.InvalidRequest || len(known.Violations) == 0 {
		return nil, false
	}
	whole := slices.ContainsFunc(known.Violations, func(v apierror.Violation) bool { return v.Field == httpio.WholeBody })
	return known.Violations, !whole
}

func requestBody(w http.ResponseWriter, r *http.Request, request proto.Message) error {
	declared := isJSON(r.Header.Get("Content-Type"))
	if r.ContentLength > 0 && !declared {
		return notJSON()
	}
	body, err := httpio.ReadBody(w, r, wire.RequestLimit(request))
	switch {
	case err != nil:
		return err
	case len(body) > 0 && !declared:
		return notJSON()
	}
	return JSON(body, request)
}

func notJSON() error {
	return &apierror.Error{
		Reason:  apierror.MediaType,
		Message: "the body must be JSON, sent with Content-Type: application/json",
	}
}

// isJSON accepts a missing type. It refuses a form's type, curl's default, even with JSON
// in the body: a foreign page can send one without a CORS preflight.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == httpio.JSONType
}
