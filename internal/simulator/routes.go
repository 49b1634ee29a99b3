package simulator

import (
	"net/http"
	"time"
)

// routes is the vendor's paths, the account-scoped ones of its other pages among
// them, and the backstage.
func (s *Simulator) routes() http.Handler {
	mux := http.NewServeMux()
	for _, base := range []string{"/v2", "/v2/accounts/{account}"} {
		people := base + "/conferences/{conference}/participants"
		mux.HandleFunc("POST "+people, s.serve(Add, s.add))
		mux.HandleFunc("GET "+people, s.serve(List, s.list))
		mux.HandleFunc("DELETE "+people+"/{participant}", s.serve(Remove, s.remove))
		mux.HandleFunc("POST "+people+"/{participant}/{control}", s.serve(Control, s.control))
		mux.HandleFunc("POST "+base+"/conferences/{conference}/mute-all", s.serve(Control, s.muteAll))
	}
	mux.HandleFunc("PUT /v2/api_auth", s.serve(Auth, s.exchange))
	mux.HandleFunc("/v2/", s.serve(Unknown, func(*call, time.Time) answer {
		return refuse(http.StatusNotFound, "no such path")
	}))
	if !s.options.NoManagement {
		s.manage(mux)
	}
	return mux
}
