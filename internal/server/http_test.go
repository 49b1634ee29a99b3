package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestW18_HTTPConnectionsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := connectionAge{max: time.Minute}
		ctx := a.opened(t.Context(), nil)
		answers := a.close(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		closes := func(path string) bool {
			recorder := httptest.NewRecorder()
			answers.ServeHTTP(recorder, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
			return recorder.Header().Get("Connection") == "close"
		}
		const list, watch = "/v2/conferences/c/participants", "/v2/conferences/c/participants:watch"
		const unary = "/audian.conference.v2.ParticipantService/ListParticipants"
		if closes(list) || closes(unary) {
			t.Error("a young connection should close with a watch alone")
		}
		for _, watched := range []string{watch, "/v2/conferences/c/participants%3Awatch", "/audian.conference.v2.ParticipantService/WatchParticipants"} {
			if !closes(watched) {
				t.Errorf("%s: the connection should close with a watch", watched)
			}
		}
		time.Sleep(61 * time.Second)
		if !closes(list) || !closes(unary) {
			t.Error("an old connection should close")
		}
	})
}
