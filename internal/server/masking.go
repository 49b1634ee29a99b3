package server

import (
	"context"
	"log/slog"
	"strings"

	"github.com/audian/participant-gateway/internal/redact"
)

// masking is a handler that masks phone numbers except for their last four digits. A function
// ReplaceAttr would do the same, but with one the standard library's handlers take several times as
// long for each line.
type masking struct{ slog.Handler }

// Handle handles a record with masked numbers. Most have none, and are passed on as they are.
func (m masking) Handle(ctx context.Context, record slog.Record) error {
	record.Message = redact.MaskNumbers(record.Message)
	changes := false
	record.Attrs(func(attr slog.Attr) bool {
		_, changes = maskNumbers(attr)
		return !changes
	})
	if changes {
		own := slog.NewRecord(record.Time, record.Level, record.Message, record.PC)
		record.Attrs(func(attr slog.Attr) bool {
			masked, _ := maskNumbers(attr)
			own.AddAttrs(masked)
			return true
		})
		record = own
	}
	return m.Handler.Handle(ctx, record) //nolint:wrapcheck // It is the handler's own.
}

// WithAttrs returns a handler with masked attributes.
func (m masking) WithAttrs(attrs []slog.Attr) slog.Handler {
	masked, _ := maskAll(attrs)
	return masking{m.Handler.WithAttrs(masked)}
}

// WithGroup returns a handler that masks the attributes of a group.
func (m masking) WithGroup(name string) slog.Handler { return masking{m.Handler.WithGroup(name)} }

// freeText are the attributes whose text may contain a phone number: names of callers, paths,
// and texts of the upstream or of the standard library.
var freeText = map[string]bool{"error": true, "panic": true, "caller": true, "path": true, slog.MessageKey: true}

// isID are the attributes with ids. Callers choose ids, so that an id may be a phone number;
// ids of plain letters and digits are never masked, so that they can be found.
var isID = map[string]bool{"conference_id": true, "participant_id": true}

// isPlainID reports whether an id has only characters that need no mask.
func isPlainID(id string) bool {
	return !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_.@~-", r)
	})
}

// maskNumbers masks phone numbers except for their last four digits. changed is false if the attribute
// stays as it is.
func maskNumbers(attr slog.Attr) (masked slog.Attr, changed bool) {
	attr.Value = attr.Value.Resolve()
	if attr.Value.Kind() == slog.KindGroup {
		inner, changed := maskAll(attr.Value.Group())
		return slog.Attr{Key: attr.Key, Value: slog.GroupValue(inner...)}, changed
	}
	text, isText := textOf(attr.Value)
	if !isText {
		return attr, false
	}
	var shown string
	switch {
	case attr.Key == "phone_number":
		shown = redact.MaskNumber(text)
	case freeText[attr.Key], isID[attr.Key] && !isPlainID(text):
		shown = redact.MaskNumbers(text)
	default:
		return attr, false
	}
	if shown == text && attr.Value.Kind() == slog.KindString {
		return attr, false
	}
	return slog.String(attr.Key, shown), true
}

// maskAll masks several attributes, of which it returns a copy.
func maskAll(attrs []slog.Attr) (masked []slog.Attr, changed bool) {
	masked = make([]slog.Attr, len(attrs))
	for i, attr := range attrs {
		one, changes := maskNumbers(attr)
		masked[i], changed = one, changed || changes
	}
	return masked, changed
}

// textOf returns the text of an error or string value.
func textOf(value slog.Value) (text string, isText bool) {
	switch value.Kind() {
	case slog.KindString:
		return value.String(), true
	case slog.KindAny:
		if err, isError := value.Any().(error); isError {
			return err.Error(), true
		}
	default:
	}
	return "", false
}
