package interceptor

import (
	"fmt"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
)

// checkBatch returns the violations of the rules of a batch that the proto cannot express (A9).
func (v *validator) checkBatch(request *v2.BatchAddParticipantsRequest) (broken []apierror.Violation) {
	if request.GetResume() && request.GetRequestId() == "" {
		broken = append(broken, apierror.Violation{
			Field: "resume", Rule: "request_id", Message: "needs the request_id of the batch",
		})
	}
	first := make(map[string]int, len(request.GetEntries()))
	for i, entry := range request.GetEntries() {
		field := fmt.Sprintf("entries[%d].phone_number", i)
		number := entry.GetPhoneNumber()
		broken = append(broken, v.phone.check(field, number)...)
		if number == "" {
			continue // The proto has the rule.
		}
		form := v.phone.canonical(number)
		if before, given := first[form]; given {
			broken = append(broken, apierror.Violation{
				Field: field, Rule: "phone_number.once", Message: fmt.Sprintf("must differ from entries[%d].phone_number", before),
			})
			continue
		}
		first[form] = i
	}
	return broken
}
