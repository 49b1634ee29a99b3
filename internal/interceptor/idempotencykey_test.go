package interceptor

import (
	"strings"
	"testing"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/requestctx"
)

func TestA02_TheIdempotencyKeyIsTheRequestID(t *testing.T) {
	validator := newValidator(PhoneRule{})
	long := strings.Repeat("k", 128)
	for name, test := range map[string]struct {
		field string
		keys  []string
		want  string
		good  bool
	}{
		"none":                         {"", nil, "", true},
		"field alone":                  {"k1", nil, "k1", true},
		"key alone":                    {"", []string{"k1"}, "k1", true},
		"both, equal":                  {"k1", []string{"k1"}, "k1", true},
		"twice, equal":                 {"", []string{"k1", "k1"}, "k1", true},
		"all printable characters":     {"", []string{" !~"}, " !~", true},
		"128 characters":               {"", []string{long}, long, true},
		"both, different":              {"k1", []string{"k2"}, "k1", false},
		"twice, different":             {"", []string{"k1", "k2"}, "k1", false},
		"twice, one as in the field":   {"k1", []string{"k1", "k2"}, "k1", false},
		"empty":                        {"", []string{""}, "", false},
		"blank":                        {"", []string{"  "}, "", false},
		"empty, beside the field":      {"k1", []string{""}, "k1", false},
		"empty, beside another":        {"", []string{"k1", ""}, "k1", false},
		"129 characters":               {"", []string{long + "k"}, long + "k", false},
		"not ASCII":                    {"", []string{"é"}, "é", false},
		"control character":            {"", []string{"a\tb"}, "a\tb", false},
		"field with 129 characters":    {long + "k", nil, long + "k", false},
		"field with control character": {"a\x7f", nil, "a\x7f", false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := metadata.NewIncomingContext(t.Context(), metadata.MD{"idempotency-key": test.keys})
			add := &v2.AddParticipantRequest{ConferenceId: "c", PhoneNumber: number, RequestId: test.field}
			err := validator.check(withIdempotencyKey(ctx, add), add)
			if add.GetRequestId() != test.want || (err == nil) != test.good {
				t.Errorf("request_id %q, %v", add.GetRequestId(), err)
			}
			if err != nil {
				checkRefusal(t, err)
			}
		})
	}
}

// A wrong key is reported together with all other violations.
func TestA02_AWrongKeyIsOneOfTheViolations(t *testing.T) {
	validator := newValidator(PhoneRule{})
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("idempotency-key", "", "idempotency-key", "k"))
	ctx = requestctx.WithViolations(ctx, []apierror.Violation{{Field: "muted", Rule: "type", Message: "must be true or false"}})
	add := &v2.AddParticipantRequest{ConferenceId: "c", PhoneNumber: "1"}
	refusal := refusalOf(t, validator.check(withIdempotencyKey(ctx, add), add))
	var named []string
	for _, violation := range refusal.Violations {
		named = append(named, violation.Field)
	}
	if got := strings.Join(named, " "); got != "muted request_id phone_number" {
		t.Errorf("named %s", got)
	}
}

func TestA02_OtherCallsIgnoreTheKey(t *testing.T) {
	ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs("idempotency-key", ""))
	for _, request := range []proto.Message{&v2.RemoveParticipantRequest{}, &v2.ListParticipantsRequest{}, &v2.WatchParticipantsRequest{}} {
		if got := requestctx.Violations(withIdempotencyKey(ctx, request)); got != nil {
			t.Errorf("%T: %v", request, got)
		}
	}
}
