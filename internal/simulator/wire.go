package simulator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// wireItem is a participant as the vendor's lists show it.
type wireItem struct {
	ID           string  `json:"id"`
	ConferenceID string  `json:"conference_id"`
	PhoneNumber  string  `json:"phone_number"`
	Name         string  `json:"name,omitempty"`
	Role         string  `json:"role"`
	Status       string  `json:"status"`
	Muted        bool    `json:"muted"`
	Duration     int     `json:"duration"`
	JoinedAt     *string `json:"joined_at"`
}

// wireAdded is a participant as the answer of an add shows it: only there is it told
// when it was created.
type wireAdded struct {
	wireItem

	CreatedAt string `json:"created_at"`
}

func item(p Person) wireItem {
	i := wireItem{
		ID: p.ID, ConferenceID: p.Conference, PhoneNumber: p.PhoneNumber, Name: p.Name,
		Role: p.Role, Status: p.Status, Muted: p.Muted, Duration: p.Duration,
	}
	if !p.JoinedAt.IsZero() {
		joined := stamp(p.JoinedAt)
		i.JoinedAt = &joined
	}
	return i
}

// stamp is a time as the vendor writes it: UTC, whole seconds.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// wireList is a list's body; the page fields are there where lists have pages.
type wireList struct {
	page

	Participants []wireItem `json:"participants"`
	Total        int        `json:"total"`
	Active       int        `json:"active"`
}

// page tells where the next page begins.
type page struct {
	PageSize     int    `json:"page_size,omitempty"`
	NextStartKey string `json:"next_start_key,omitempty"`
}

// envelope is what the vendor's other pages put around a body, and errors on every
// page.
type envelope struct {
	page

	AuthToken string       `json:"auth_token,omitempty"`
	Data      any          `json:"data"`
	Error     string       `json:"error,omitempty"`
	Message   string       `json:"message,omitempty"`
	RequestID string       `json:"request_id"`
	Revision  string       `json:"revision,omitempty"`
	Status    string       `json:"status"`
	Tokens    *wireBalance `json:"tokens,omitempty"`
}

// wireBalance is what is left in the bucket of requests.
type wireBalance struct {
	Consumed  int `json:"consumed"`
	Remaining int `json:"remaining"`
}

// wireProblem is the data of an error's envelope.
type wireProblem struct {
	Message string `json:"message"`
}

// problem is the envelope of an error; code 0 leaves its code out.
func problem(code int, word, message, requestID string) envelope {
	e := envelope{
		Data: wireProblem{message}, Message: word, RequestID: requestID, Status: "error",
	}
	if code != 0 {
		e.Error = strconv.Itoa(code)
	}
	return e
}

// wordFor is the vendor's word for a status, such as bad_request.
func wordFor(status int) string {
	text := http.StatusText(status)
	if text == "" {
		text = "error " + strconv.Itoa(status)
	}
	return strings.ToLower(strings.NewReplacer(" ", "_", "-", "_", "'", "").Replace(text))
}

// unwrap is the body of a request without the envelope that other pages put around
// it.
func unwrap(body []byte) []byte {
	var wrapped struct {
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(body, &wrapped) == nil && len(wrapped.Data) > 0 {
		return wrapped.Data
	}
	return body
}
