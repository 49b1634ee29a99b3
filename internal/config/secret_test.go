package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/audian/participant-gateway/internal/config"
)

func TestASecretShowsItselfToNobody(t *testing.T) {
	cfg := config.Config{Upstream: config.Upstream{Token: "hidden-1", APIKey: "hidden-1"}}
	var text, lines bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("start", "config", cfg, "secret", cfg.Upstream.Token)
	slog.New(slog.NewJSONHandler(&lines, nil)).Info("start", "config", cfg, "secret", cfg.Upstream.Token)
	encoded, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for name, shown := range map[string]string{
		"%v": fmt.Sprintf("%v", cfg), "%+v": fmt.Sprintf("%+v", cfg), "%#v": fmt.Sprintf("%#v", cfg), "%s": fmt.Sprintf("%s", cfg.Upstream),
		"slog text": text.String(), "slog JSON": lines.String(), "JSON": string(encoded),
	} {
		if strings.Contains(shown, "hidden-1") || !strings.Contains(shown, "[redacted]") {
			t.Errorf("%s shows %s", name, shown)
		}
	}
	if got := cfg.Upstream.Token.Reveal(); got != "hidden-1" {
		t.Errorf("Reveal gave %q", got)
	}
	if got := config.Secret("").String(); got != "" {
		t.Errorf("no secret shows as %q, want nothing", got)
	}
}
