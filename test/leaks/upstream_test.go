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

// upstream is an upstream that repeats confidential data of requests in its responses. The
// conference ID selects how.
type upstream struct {
	// exchanged is the token for an API key; envelope is the token in other responses.
	exchanged, envelope string
	// listed is the phone number of a participant in every list.
	listed string
}

// requestData is the confidential data of a request.
type requestData struct{ token, number string }

func requestDataOf(r *http.Request, listed string) requestData {
	data := requestData{token: r.Header.Get("X-Auth-Token") + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), number: listed}
	var add struct {
		PhoneNumber string `json:"phone_number"`
	}
	if body, err := io.ReadAll(r.Body); err == nil && json.Unmarshal(body, &add) == nil && add.PhoneNumber != "" {
		data.number = add.PhoneNumber
	}
	return data
}

// message contains the confidential data: the number unchanged and as people write it, and
// the token between control characters and where messages are truncated.
func (c requestData) message(n int) string {
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

// upstreamModes are the kinds of responses, by conference ID.
var upstreamModes = []string{"ok", "400", "401", "402", "403", "404", "409", "429", "500", "object", "200", "html", "junk", "types", "garbled", "cut", "moved"}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data := requestDataOf(r, u.listed)
	if strings.HasSuffix(r.URL.Path, "/api_auth") {
		respond(w, http.StatusOK, map[string]any{"auth_token": u.exchanged, "data": map[string]any{}, "status": "success"})
		return
	}
	_, mode, _ := strings.Cut(strings.Split(r.URL.Path, "/")[3], "_")
	w.Header().Set("X-Request-Id", "req-"+data.token)
	switch status, err := strconv.Atoi(mode); {
	case err == nil:
		w.Header().Set("Retry-After", "1")
		respond(w, status, u.envelopeOf("error", map[string]any{"message": data.message(status)}, strconv.Itoa(max(status, 400)), data.token))
	case mode == "ok":
		u.succeed(w, r, data)
	default:
		u.respondInvalid(w, mode, data)
	}
}

func (u *upstream) envelopeOf(status string, data any, code, requestID string) map[string]any {
	return map[string]any{"auth_token": u.envelope, "data": data, "error": code, "message": "as sent", "request_id": requestID, "status": status}
}

// succeed responds with success, and with two fields of a wrong type.
func (u *upstream) succeed(w http.ResponseWriter, r *http.Request, data requestData) {
	first := map[string]any{"id": "part_1", "phone_number": data.number, "name": "Ada", "role": "listener", "status": "connected", "muted": data.token, "duration": data.token}
	switch r.Method {
	case http.MethodPost:
		respond(w, http.StatusOK, u.envelopeOf("success", first, "", data.token))
	case http.MethodDelete:
		respond(w, http.StatusOK, u.envelopeOf("success", nil, "", data.token))
	default:
		other := map[string]any{"id": "part_2", "phone_number": u.listed, "status": "held"}
		respond(w, http.StatusOK, u.envelopeOf("success", map[string]any{"participants": []any{first, other}, "total": 2, "active": 2}, "", data.token))
	}
}

// respondInvalid responds as no API should.
func (u *upstream) respondInvalid(w http.ResponseWriter, mode string, data requestData) {
	message := data.message(0)
	switch mode {
	case "object":
		respond(w, http.StatusForbidden, map[string]any{"error": map[string]any{"code": data.token, "message": message, "param": data.token, "type": data.token}})
	case "html":
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprintf(w, "<html>%s</html>", message)
	case "junk":
		fmt.Fprint(w, message)
	case "types":
		respond(w, http.StatusOK, map[string]any{"participants": []any{map[string]any{"id": []string{message}, message: 1}}})
	case "garbled":
		cut(w, message+"\r\n\r\n")
	case "cut":
		cut(w, "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"participants\":[{\"id\":\""+message)
	case "moved":
		w.Header().Set("Location", "http://localhost:1/?token="+data.token)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, body)
}

// cut writes bytes instead of a response, and closes the connection.
func cut(w http.ResponseWriter, text string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, text)
	_ = conn.Close()
}
