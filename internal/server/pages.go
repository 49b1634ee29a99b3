package server

import (
	"net/http"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/rest/pages"
	"github.com/audian/participant-gateway/internal/rest/rpc"
)

// newPages returns what the HTTP door serves beside REST: what people look at, and the
// same service by the protocols of web pages.
func (s *Server) newPages(chained v2.ParticipantServiceServer, gate *gate, measured *metrics) map[string]http.Handler {
	served := pages.New()
	served[rpc.Pattern] = rpc.New(rpc.Options{
		Service: chained,
		Logger:  s.logger,
		Screen:  gate.screen,
		Refused: measured.refuse,
	})
	return served
}
