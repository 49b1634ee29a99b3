package wire

import (
	"fmt"

	"github.com/audian/participant-gateway/internal/apierror"
)

// The rules that decoding holds a request to; those about values are the proto's.
const (
	ruleSyntax    = "syntax"
	ruleUnknown   = "unknown"
	ruleType      = "type"
	ruleOnce      = "once"
	ruleDuplicate = "duplicate"
	ruleAgree     = "agree"
)

// faults are the fields at fault that were found so far.
type faults struct{ found []apierror.Violation }

func (f *faults) add(field, rule, message string) {
	if len(f.found) == apierror.MaxViolations {
		return
	}
	f.found = append(f.found, apierror.Violation{Field: shortened(field), Rule: rule, Message: message})
}

// err is nil where nothing is at fault.
func (f *faults) err(part string) error {
	if len(f.found) == 0 {
		return nil
	}
	message := fmt.Sprintf("%s: %s: %s", part, f.found[0].Field, f.found[0].Message)
	if part == f.found[0].Field {
		message = fmt.Sprintf("%s: %s", part, f.found[0].Message)
	}
	if len(f.found) > 1 {
		message += fmt.Sprintf(" (and %d more)", len(f.found)-1)
	}
	return &apierror.Error{Reason: apierror.InvalidRequest, Message: message, Violations: f.found}
}

// shortened bounds what is told of a name that the caller made up.
func shortened(name string) string {
	const longest = 64
	runes := []rune(valid(name))
	if len(runes) <= longest {
		return string(runes)
	}
	return string(runes[:longest]) + "…"
}
