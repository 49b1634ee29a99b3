package server

import (
	"fmt"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/service"
)

// phoneLength is the --phone-validation that checks the length alone.
const phoneLength = "length"

// newGate returns what every call is to pass through.
func (s *Server) newGate(measured *metrics) (*gate, error) {
	validator, err := service.NewValidator(service.PhoneRule{
		LengthOnly:    s.config.Phone.Validation == phoneLength,
		DefaultRegion: s.config.Phone.DefaultRegion,
	})
	if err != nil {
		return nil, fmt.Errorf("compose the service: %w", err)
	}
	return &gate{
		policy:    s.policy,
		limiter:   access.NewLimiter(limitsOf(s.config.Limits)),
		validator: validator,
		metrics:   measured,
		calls:     &s.calls,
		logger:    s.logger,
	}, nil
}

// chain wraps the service in the gate, once for both doors.
func (s *Server) chain(gate *gate) v2.ParticipantServiceServer {
	answering := service.New(accounts{s.registry}, s.writer, s.watcher, s.streams)
	return service.Chain(answering, gate.unary, gate.stream)
}
