package requestctx

import (
	"context"
	"strings"
)

type fieldNamesKey struct{}

// WithFieldNames returns the context of a call whose transport has other names for some fields of
// the request.
func WithFieldNames(ctx context.Context, names *strings.Replacer) context.Context {
	return context.WithValue(ctx, fieldNamesKey{}, names)
}

// FieldName returns the name of a field for the caller.
func FieldName(ctx context.Context, field string) string {
	if names, known := ctx.Value(fieldNamesKey{}).(*strings.Replacer); known {
		return names.Replace(field)
	}
	return field
}
