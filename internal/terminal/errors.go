package terminal

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"

	"github.com/audian/participant-gateway/client"
)

// codeName returns a gRPC code as the gateway's documents write it, such as NOT_FOUND.
func codeName(c codes.Code) string { return code.Code(int32(c)).String() }

// describe returns an error for the terminal: the invalid fields too, and whether a phone may
// ring.
func describe(err error) error {
	failed, ok := errors.AsType[*client.Error](err)
	if !ok {
		return err
	}
	parts := []string{clean(failed.Message)}
	if failed.Reason != "" {
		parts[0] += " (" + failed.Reason + ")"
	}
	for _, violation := range failed.FieldViolations {
		parts = append(parts, clean(violation.Field)+": "+clean(violation.Description))
	}
	if failed.Dialled == client.DialledUnknown {
		parts = append(parts, "the phone may be ringing")
	}
	if failed.RetryDelay > 0 {
		parts = append(parts, fmt.Sprintf("try again in %s", failed.RetryDelay))
	}
	return errors.New(strings.Join(parts, "; "))
}
