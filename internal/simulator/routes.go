package simulator

import (
	"net/http"
	"time"
)

// routes registers the API's paths, with and without an account, and the admin API.
func (s *Simulator) routes() http.Handler {
	mux := http.NewServeMux()
	for _, base := range []string{"/v2", "/v2/accounts/{account}"} {
		participants := base + "/conferences/{conference}/participants"
		mux.HandleFunc("POST "+participants, s.serve(Add, s.add))
		mux.HandleFunc("GET "+participants, s.serve(List, s.list))
		mux.HandleFunc("DELETE "+participants+"/{participant}", s.serve(Remove, s.remove))
		mux.HandleFunc("POST "+participants+"/{participant}/{control}", s.serve(Control, s.control))
		mux.HandleFunc("POST "+base+"/conferences/{conference}/mute-all", s.serve(Control, s.muteAll))
	}
	mux.HandleFunc("PUT /v2/api_auth", s.serve(Auth, s.issueToken))
	mux.HandleFunc("/v2/", s.serve(Unknown, func(*call, time.Time) result {
		return failure(http.StatusNotFound, "no such path")
	}))
	if !s.options.NoAdminAPI {
		s.adminRoutes(mux)
	}
	return mux
}
