package httpio

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestA01_OnlyAddsHaveDialled(t *testing.T) {
	const conference, service = "/v2/conferences/c", "/audian.conference.v2.ParticipantService"
	for _, tt := range []struct {
		method, path string
		want         bool
	}{
		{http.MethodPost, conference + "/participants", true},
		{http.MethodPost, conference + "/participants?x=1", true},
		{http.MethodPost, conference + "/participants/", true},
		{http.MethodPost, service + "/AddParticipant", true},
		{http.MethodGet, conference + "/participants", false},
		{http.MethodPost, conference + "/participants:refresh", false},
		{http.MethodPost, conference + "/participants/p/mute", false},
		{http.MethodPost, conference + "/mute-all", false},
		{http.MethodPost, service + "/MuteParticipant", false},
		{http.MethodPost, service + "/ListParticipants", false},
		{http.MethodPost, "/", false},
	} {
		if got := Dials(httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, nil)); got != tt.want {
			t.Errorf("%s %s: %t, want %t", tt.method, tt.path, got, tt.want)
		}
	}
}
