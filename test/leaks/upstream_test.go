package leaks_test

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// upstream is one that repeats what it is told in confidence wherever it can. The
// conference that is asked for says how.
type upstream struct {
	// exchanged is what it gives for a key; envelope is a token in its other answers.
	exchanged, envelope string
	// listed is the number of somebody in every list.
	listed string
}

// confided is what a request tells in confidence.
type confided struct{ token, number string }

func confidedIn(r *http.Request, listed string) confided {
	told := confided{token: r.Header.Get("X-Auth-Token") + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), number: listed}
	var add struct {
		PhoneNumber string `json:"phone_number"`
	}
	if body, err := io.ReadAll(r.Body); err == nil && json.Unmarshal(body, &add) == nil && add.PhoneNumber != "" {
		told.number = add.PhoneNumber
	}
	return told
}

// words repeat the confidence in words: the number as it came and as people write it,
// and the token amid control characters and at the place where words are cut.
func (c confided) words(n int) string {
	switch n % 3 {
	case 0:
		digits := strings.TrimPrefix(c.number, "+")
		written := regexp.MustCompile(`^1?(...)(...)(....)$`).ReplaceAllString(digits, "+1 ($1) $2-$3")
		return fmt.Sprintf("token %s may not dial %s, that is %s", c.token, c.number, written)
	case 1:
		return strings.Repeat("x", 180) + " " + c.token
	default:
		return fmt.Sprintf("no account for %s\x00%s", c.token[:len(c.token)/2], c.token[len(c.token)/2:])
	}
}

// ways are how an upstream can answer, by the conference.
var ways = []string{"ok", "400", "401", "402", "403", "404", "409", "429", "500", "object", "200", "html", "junk", "types", "garbled", "cut", "moved"}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	told := confidedIn(r, u.listed)
	if strings.HasSuffix(r.URL.Path, "/api_auth") {
		answer(w, http.StatusOK, map[string]any{"auth_token": u.exchanged, "data": map[string]any{}, "status": "success"})
		return
	}
	_, way, _ := strings.Cut(strings.Split(r.URL.Path, "/")[3], "_")
	w.Header().Set("X-Request-Id", "req-"+told.token)
	switch status, err := strconv.Atoi(way); {
	case err == nil:
		w.Header().Set("Retry-After", "1")
		answer(w, status, u.envelopeOf("error", map[string]any{"message": told.words(status)}, strconv.Itoa(max(status, 400)), told.token))
	case way == "ok":
		u.succeed(w, r, told)
	default:
		u.distort(w, way, told)
	}
}

func (u *upstream) envelopeOf(status string, data any, code, requestID string) map[string]any {
	return map[string]any{"auth_token": u.envelope, "data": data, "error": code, "message": "as told", "request_id": requestID, "status": status}
}

// succeed does as it is asked, and has a field or two of the wrong type.
func (u *upstream) succeed(w http.ResponseWriter, r *http.Request, told confided) {
	somebody := map[string]any{"id": "part_1", "phone_number": told.number, "name": "Ada", "role": "listener", "status": "connected", "muted": told.token, "duration": told.token}
	switch r.Method {
	case http.MethodPost:
		answer(w, http.StatusOK, u.envelopeOf("success", somebody, "", told.token))
	case http.MethodDelete:
		answer(w, http.StatusOK, u.envelopeOf("success", nil, "", told.token))
	default:
		other := map[string]any{"id": "part_2", "phone_number": u.listed, "status": "held"}
		answer(w, http.StatusOK, u.envelopeOf("success", map[string]any{"participants": []any{somebody, other}, "total": 2, "active": 2}, "", told.token))
	}
}

// distort answers as no API should.
func (u *upstream) distort(w http.ResponseWriter, way string, told confided) {
	words := told.words(0)
	switch way {
	case "object":
		answer(w, http.StatusForbidden, map[string]any{"error": map[string]any{"code": told.token, "message": words, "param": told.token, "type": told.token}})
	case "html":
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprintf(w, "<html>%s</html>", words)
	case "junk":
		fmt.Fprint(w, words)
	case "types":
		answer(w, http.StatusOK, map[string]any{"participants": []any{map[string]any{"id": []string{words}, words: 1}}})
	case "garbled":
		cut(w, words+"\r\n\r\n")
	case "cut":
		cut(w, "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"participants\":[{\"id\":\""+words)
	case "moved":
		w.Header().Set("Location", "http://localhost:1/?token="+told.token)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, body)
}

// cut writes bytes in place of an answer, and hangs up.
func cut(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, text)
	_ = conn.Close()
}
