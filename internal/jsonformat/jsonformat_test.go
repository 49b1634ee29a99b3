package jsonformat_test

import (
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/jsonformat"
)

func TestDuration(t *testing.T) {
	for _, tt := range []struct {
		length time.Duration
		want   string
	}{
		{0, "0s"},
		{time.Second, "1s"},
		{1500 * time.Millisecond, "1.5s"},
		{2 * time.Minute, "120s"},
		{50 * time.Millisecond, "0.05s"},
		{time.Nanosecond, "0.000000001s"},
		{-1500 * time.Millisecond, "-1.5s"},
		{-500 * time.Millisecond, "-0.5s"},
	} {
		if got := jsonformat.Duration(tt.length); got != tt.want {
			t.Errorf("Duration(%v) = %q, want %q", tt.length, got, tt.want)
		}
	}
}

func TestEscapeLineBreaks(t *testing.T) {
	for text, want := range map[string]string{
		`{"name":"Ada"}`:                       `{"name":"Ada"}`,
		"{\"name\":\"a\u0085b\u2028c\u2029\"}": `{"name":"a\u0085b\u2028c\u2029"}`,
	} {
		if got := string(jsonformat.EscapeLineBreaks([]byte(text))); got != want {
			t.Errorf("EscapeLineBreaks(%q) = %q, want %q", text, got, want)
		}
	}
}
