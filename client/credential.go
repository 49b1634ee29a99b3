package client

import (
	"context"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// bearer sends a credential with each call.
type bearer struct {
	credential func(context.Context) (string, error)
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	value, err := b.credential(ctx)
	switch {
	case err != nil:
		return nil, credentialError(err)
	case value == "":
		return map[string]string{}, nil
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		return nil, status.Error(codes.Unauthenticated, "the credential has a character that metadata cannot contain, such as a newline")
	}
	return map[string]string{"authorization": "Bearer " + value}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials. New has checked the target.
func (bearer) RequireTransportSecurity() bool { return false }

// credentialError returns err with a gRPC status.
func credentialError(err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	failed := status.New(codes.Unavailable, "get the credential: "+err.Error())
	detailed, detailsErr := failed.WithDetails(&errdetails.ErrorInfo{Reason: ReasonCredentialUnavailable, Domain: domain})
	if detailsErr != nil {
		return failed.Err()
	}
	return detailed.Err()
}
