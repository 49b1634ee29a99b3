package grpcstatus

import (
	"bytes"
	"strings"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/audian/participant-gateway/internal/jsonformat"
)

// WithoutLineBreaks returns a status with spaces in place of the characters at which some
// line readers split. It is for a library that encodes a status as JSON without escaping all
// of them.
func WithoutLineBreaks(st *status.Status) *status.Status {
	text, err := protojson.Marshal(st.Proto())
	if err != nil || bytes.Equal(text, jsonformat.EscapeLineBreaks(text)) {
		return st
	}
	replaced := &spb.Status{}
	if err := protojson.Unmarshal([]byte(spaces.Replace(string(text))), replaced); err != nil {
		return st
	}
	return status.FromProto(replaced)
}

var spaces = strings.NewReplacer("\u0085", " ", "\u2028", " ", "\u2029", " ")
