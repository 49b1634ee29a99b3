package admin

import (
	"crypto/sha256"
	_ "embed" // For the page.
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string

	page = template.Must(template.New("page").Funcs(template.FuncMap{
		"bytes": bytesText, "seconds": secondsText, "filter": Filter.text, "clock": clockText, "count": strconv.Itoa,
	}).Parse(pageText))

	// pagePolicy forbids everything but the page's own style and forms.
	pagePolicy = "default-src 'none'; style-src '" + hashOf(pageStyle) + "'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (h handler) writePage(w http.ResponseWriter, r *http.Request, overview Overview) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("Referrer-Policy", "same-origin")
	// The client may be gone. An error of the template itself fails the tests.
	_ = page.Execute(w, struct {
		Overview

		Style  template.CSS
		Only   string
		Level  LevelState
		Levels []string
	}{
		overview, template.CSS(pageStyle), //nolint:gosec // The style is embedded.
		r.URL.Query().Get("conference"), h.Level.State(), levelNames,
	})
}

func (f Filter) text() string {
	var parts []string
	add := func(field string, values []string) {
		if len(values) > 0 {
			parts = append(parts, field+" "+strings.Join(values, ", "))
		}
	}
	add("status", texts(f.Statuses))
	add("role", texts(f.Roles))
	add("id", f.IDs)
	if f.MaskNumbers {
		parts = append(parts, "masked numbers")
	}
	if len(parts) == 0 {
		return "everybody"
	}
	return strings.Join(parts, "; ")
}

func texts[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, value := range values {
		all[i] = string(value)
	}
	return all
}

func bytesText(n int) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	default:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
}

func secondsText(s Seconds) string {
	d := time.Duration(float64(s) * float64(time.Second))
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}

func clockText(t time.Time) string { return t.UTC().Format("15:04:05.000") }
