package interceptor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
)

// validator checks requests against the rules of the proto, and phone numbers, whose rule the
// proto cannot express (A4).
type validator struct {
	phone PhoneRule
}

// compiledRules returns the rules of the proto, which all requests share. The first call compiles them.
var compiledRules = sync.OnceValues(func() (protovalidate.Validator, error) {
	rules, err := protovalidate.New(protovalidate.WithMessages(
		&v2.AddParticipantRequest{},
		&v2.RemoveParticipantRequest{},
		&v2.ListParticipantsRequest{},
		&v2.WatchParticipantsRequest{},
		&v2.WatchConferencesRequest{},
		&v2.BatchAddParticipantsRequest{},
	))
	if err != nil {
		return nil, fmt.Errorf("compile the rules of the proto: %w", err)
	}
	return rules, nil
})

// newValidator returns a validator at once. The rules are compiled in the background: a request that
// needs them earlier waits.
func newValidator(phone PhoneRule) *validator {
	go func() { _, _ = compiledRules() }() // The requests that need the rules return the error.
	return &validator{phone: phone}
}

// check returns one error that names every invalid field, or nil: those that the transport
// could not read, and those that break a rule.
func (v *validator) check(ctx context.Context, request proto.Message) error {
	if !wire.Readable(request) {
		return &apierror.Error{
			Reason:  apierror.InvalidRequest,
			Message: "invalid protobuf message, or text that is not UTF-8",
		}
	}
	if hasOnlyValidIDs(request) && len(requestctx.Violations(ctx)) == 0 {
		return nil
	}
	if long := tooManyValues(request); len(long) > 0 {
		return invalid(renamed(ctx, long))
	}
	broken, err := violationsOf(request)
	if err != nil {
		return err
	}
	switch request := request.(type) {
	case *v2.AddParticipantRequest:
		broken = append(broken, v.phone.check("phone_number", request.GetPhoneNumber())...)
	case *v2.BatchAddParticipantsRequest:
		broken = append(broken, v.checkBatch(request)...)
	}
	violations := merge(requestctx.Violations(ctx), renamed(ctx, broken))
	if len(violations) == 0 {
		return nil
	}
	return invalid(violations)
}

// renamed gives fields the names that the transport has for them.
func renamed(ctx context.Context, violations []apierror.Violation) []apierror.Violation {
	for i, v := range violations {
		violations[i].Field = requestctx.FieldName(ctx, v.Field)
	}
	return violations
}

func invalid(violations []apierror.Violation) *apierror.Error {
	return &apierror.Error{
		Reason:     apierror.InvalidRequest,
		Message:    summary(violations),
		Violations: violations[:min(len(violations), apierror.MaxViolations)],
	}
}

// The most values of a repeated field, as in the proto: maxEntries of a batch's entries, and
// maxValues of any other field.
const (
	maxValues  = 100
	maxEntries = 1000
)

func maxValuesOf(field protoreflect.FieldDescriptor) int {
	if field.Message() != nil && field.Message().Name() == (*v2.BatchEntry)(nil).ProtoReflect().Descriptor().Name() {
		return maxEntries
	}
	return maxValues
}

// tooManyValues finds the repeated fields with too many values. Their rules are not checked,
// because that takes time for each value.
func tooManyValues(request proto.Message) (long []apierror.Violation) {
	request.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if !field.IsList() {
			return true
		}
		if most := maxValuesOf(field); value.List().Len() > most {
			long = append(long, apierror.Violation{
				Field: string(field.Name()), Rule: "count", Message: fmt.Sprintf("must list at most %d values", most),
			})
		}
		return true
	})
	slices.SortFunc(long, func(a, b apierror.Violation) int { return cmp.Compare(a.Field, b.Field) })
	return long
}

// merge adds the broken rules of the fields that could be read.
func merge(unreadable, broken []apierror.Violation) []apierror.Violation {
	merged := slices.Clone(unreadable)
	for _, rule := range broken {
		if !slices.ContainsFunc(unreadable, func(v apierror.Violation) bool { return v.Field == rule.Field }) {
			merged = append(merged, rule)
		}
	}
	return merged
}

// hasOnlyValidIDs reports whether a request has its ids, which are valid, and no other field. Then it
// breaks no rule of the proto. Most requests are like this, and evaluating the rules takes longer than
// all other work of the interceptor.
func hasOnlyValidIDs(request proto.Message) bool {
	switch request.(type) {
	case *v2.AddParticipantRequest, *v2.BatchAddParticipantsRequest, *v2.WatchConferencesRequest:
		return false // Other fields are required too.
	}
	size := 0
	for _, id := range idsOf(request) {
		if !participant.ValidID(id) {
			return false
		}
		size += protowire.SizeTag(1) + protowire.SizeBytes(len(id)) // All tags of up to 15 have one size.
	}
	return proto.Size(request) == size
}

// idsOf returns the ids that a request must have.
func idsOf(request proto.Message) (ids []string) {
	if named, ok := request.(interface{ GetConferenceId() string }); ok {
		ids = append(ids, named.GetConferenceId())
	}
	if named, ok := request.(interface{ GetParticipantId() string }); ok {
		ids = append(ids, named.GetParticipantId())
	}
	return ids
}

func violationsOf(request proto.Message) ([]apierror.Violation, error) {
	rules, err := compiledRules()
	if err != nil {
		return nil, err
	}
	if err = rules.Validate(request); err == nil {
		return nil, nil
	}
	var broken *protovalidate.ValidationError
	if !errors.As(err, &broken) {
		return nil, fmt.Errorf("validate: %w", err)
	}
	violations := make([]apierror.Violation, 0, len(broken.Violations))
	for _, violation := range broken.Violations {
		violations = append(violations, apierror.Violation{
			Field:   protovalidate.FieldPathString(violation.Proto.GetField()),
			Rule:    violation.Proto.GetRuleId(),
			Message: violation.Proto.GetMessage(),
		})
	}
	return violations, nil
}

// summary names the first violation and the number of others.
func summary(violations []apierror.Violation) string {
	first := violations[0]
	text := first.Field + ": " + first.Message
	if more := len(violations) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}
