package simulator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// wireItem is a participant in the API's lists.
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

// wireAdded is a participant in the response to an add. Only this one has created_at.
type wireAdded struct {
	wireItem

	CreatedAt string `json:"created_at"`
}

func item(p Participant) wireItem {
	i := wireItem{
		ID: p.ID, ConferenceID: p.Conference, PhoneNumber: p.PhoneNumber, Name: p.Name,
		Role: p.Role, Status: p.Status, Muted: p.Muted, Duration: p.Duration,
	}
	if !p.JoinedAt.IsZero() {
		joined := timestamp(p.JoinedAt)
		i.JoinedAt = &joined
	}
	return i
}

// timestamp formats a time as the API does: UTC, whole seconds.
func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// wireList is the body of a list. Its page fields are set when lists have pages.
type wireList struct {
	page

	Participants []wireItem `json:"participants"`
	Total        int        `json:"total"`
	Active       int        `json:"active"`
}

// page contains the key of the next page.
type page struct {
	PageSize     int    `json:"page_size,omitempty"`
	NextStartKey string `json:"next_start_key,omitempty"`
}

// envelope wraps the body of errors, and of successes where the options ask for it.
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

// wireBalance is the content of the bucket of request tokens.
type wireBalance struct {
	Consumed  int `json:"consumed"`
	Remaining int `json:"remaining"`
}

// wireErrorData is the data of an error envelope.
type wireErrorData struct {
	Message string `json:"message"`
}

// errorEnvelope is the envelope of an error; status 0 leaves its number out.
func errorEnvelope(status int, code, message, requestID string) envelope {
	e := envelope{
		Data: wireErrorData{message}, Message: code, RequestID: requestID, Status: "error",
	}
	if status != 0 {
		e.Error = strconv.Itoa(status)
	}
	return e
}

// errorCode is the API's code for a status, such as bad_request.
func errorCode(status int) string {
	text := http.StatusText(status)
	if text == "" {
		text = "error " + strconv.Itoa(status)
	}
	return strings.ToLower(strings.NewReplacer(" ", "_", "-", "_", "'", "").Replace(text))
}

// unwrap returns the body of a request without the envelope that it may have.
func unwrap(body []byte) []byte {
	var wrapped struct {
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(body, &wrapped) == nil && len(wrapped.Data) > 0 {
		return wrapped.Data
	}
	return body
}
