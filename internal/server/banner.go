package server

import (
	"fmt"
	"io"

	"github.com/audian/participant-gateway/internal/simulator"
)

// Banner writes the addresses and, in demo mode, three commands to try.
func (s *Server) Banner(w io.Writer) error {
	text := fmt.Sprintf(`gRPC   %s
HTTP   %s://%s
admin  http://%s
`, s.GRPCAddr(), s.scheme(), s.HTTPAddr(), s.AdminAddr())
	if s.demo != nil {
		text += fmt.Sprintf(`
Demo: an embedded simulator replaces the upstream (http://%[2]s/_simulator/). Try:
  curl %[4]s://%[1]s/v2/conferences/%[3]s/participants
  curl -N -H 'Accept: text/event-stream' %[4]s://%[1]s/v2/conferences/%[3]s/participants:watch
  curl -H 'Content-Type: application/json' -d '{"phone_number":"+12025550123","name":"Ada"}' %[4]s://%[1]s/v2/conferences/%[3]s/participants
`, s.HTTPAddr(), s.demo.listener.Addr(), simulator.DemoConference, s.scheme())
	}
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("write the banner: %w", err)
	}
	return nil
}
