package decode

import (
	"fmt"
	"strings"

	"github.com/audian/participant-gateway/internal/apierror"
)

// The rules of decoding; the proto has those about values.
const (
	ruleSyntax    = "syntax"
	ruleUnknown   = "unknown"
	ruleType      = "type"
	ruleOnce      = "once"
	ruleDuplicate = "duplicate"
	ruleAgree     = "agree"
)

// violations collects the fields of a request that are invalid.
type violations struct{ found []apierror.Violation }

func (v *violations) add(field, rule, message string) {
	if len(v.found) == apierror.MaxViolations {
		return
	}
	v.found = append(v.found, apierror.Violation{Field: shortened(field), Rule: rule, Message: message})
}

// err returns the error of one part of the request; nil without violations.
func (v *violations) err(part string) error {
	if len(v.found) == 0 {
		return nil
	}
	message := fmt.Sprintf("%s: %s: %s", part, v.found[0].Field, v.found[0].Message)
	if part == v.found[0].Field {
		message = fmt.Sprintf("%s: %s", part, v.found[0].Message)
	}
	if len(v.found) > 1 {
		message += fmt.Sprintf(" (and %d more)", len(v.found)-1)
	}
	return &apierror.Error{Reason: apierror.InvalidRequest, Message: message, Violations: v.found}
}

// shortened limits the length of a name that the caller sent.
func shortened(name string) string {
	const longest = 64
	runes := []rune(strings.ToValidUTF8(name, "\uFFFD"))
	if len(runes) <= longest {
		return string(runes)
	}
	return string(runes[:longest]) + "…"
}
