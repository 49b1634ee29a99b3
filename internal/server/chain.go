package server

import (
	"fmt"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/service"
)

// phoneLength is the --phone-validation that checks the length alone.
const phoneLength = "length"

// chain wraps the service in the gate, once for both doors.
func (s *Server) chain(measured *metrics) (v2.ParticipantServiceServer, error) {
	validator, err := service.NewValidator(service.PhoneRule{
		LengthOnly:    s.config.Phone.Validation == phoneLength,
		DefaultRegion: s.config.Phone.DefaultRegion,
	})
	if err != nil {
		return nil, fmt.Errorf("compose the service: %w", err)
	}
	gate := &gate{policy: s.policy(), validator: validator, metrics: measured, logger: s.logger}
	answering := service.New(accounts{s.registry}, s.writer, s.watcher, s.streams)
	return service.Chain(answering, gate.unary, gate.stream), nil
}
