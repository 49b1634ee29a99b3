package policy

import (
	"context"
	"fmt"

	"github.com/audian/participant-gateway/internal/apierror"
)

// CheckNumbers refuses a whole batch if the caller may not dial the number of an entry. It names
// the entries, by their index.
func (c Caller) CheckNumbers(numbers []string) error {
	var refused []apierror.Violation
	for i, number := range numbers {
		if !c.allows(number) {
			refused = append(refused, violation(i, "phone_number.allowed", "the caller may not dial numbers with this prefix"))
		}
	}
	if len(refused) == 0 {
		return nil
	}
	return &apierror.Error{
		Reason: apierror.NumberNotAllowed,
		Message: fmt.Sprintf("the caller may not dial the numbers of %d entries, the first of them %s; nothing was sent",
			len(refused), refused[0].Field),
		Violations: refused[:min(len(refused), apierror.MaxViolations)],
		Dialled:    apierror.DialledNo,
	}
}

// CheckEntries refuses a whole batch if more entries are to be sent than are left of the day.
// entries are their indices, in the order in which they are sent; the error names those beyond the
// limit. It counts nothing.
func (c Caller) CheckEntries(ctx context.Context, entries []int) error {
	left, limited, err := c.left(ctx)
	if err != nil || !limited || len(entries) <= left {
		return err
	}
	refused := c.limitReached()
	refused.Message = fmt.Sprintf("the batch sends %d adds, but the caller has %d left of %d a day (UTC); nothing was sent",
		len(entries), left, c.limit())
	for _, i := range entries[left:min(left+apierror.MaxViolations, len(entries))] {
		refused.Violations = append(refused.Violations, violation(i, "phone_number.daily_limit", "beyond the limit of the day"))
	}
	return refused
}

func violation(entry int, rule, message string) apierror.Violation {
	return apierror.Violation{Field: fmt.Sprintf("entries[%d].phone_number", entry), Rule: rule, Message: message}
}
