package main

import (
	"net/http"
	"net/url"
	"testing"
)

func TestLogLevel_ChangesWhileTheProcessRuns(t *testing.T) {
	s := start(t, nil, "--demo")
	isReady(t, "http://"+s.admin)
	response, err := http.PostForm("http://"+s.admin+"/loglevel", url.Values{"level": {"debug"}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	s.awaits("log level changed")
	getWhenServed(t.Context(), t, "http://"+s.http+"/v2/conferences/conf_demo/participants:watch")
	if level, _, _ := s.awaits("feed started"); level != "DEBUG" {
		t.Errorf("got %s", level)
	}
}
