package server

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/audian/participant-gateway/internal/audit"
	"github.com/audian/participant-gateway/internal/config"
)

// openAudit opens the audit log, if there is one.
func (s *Server) openAudit() (err error) {
	if s.config.Audit.Log == "" {
		return nil
	}
	if s.audit, err = audit.Open(s.config.Audit.Log, s.auditFailed); err != nil {
		return config.UsageError(fmt.Errorf("--audit-log: %w", err))
	}
	return nil
}

// ReopenAudit opens the file of the audit log again, after a rotation has renamed it.
func (s *Server) ReopenAudit() {
	if err := s.audit.Reopen(); err != nil {
		s.auditFailed(err)
	}
}

func (s *Server) auditFailed(err error) {
	s.metrics.AuditFailed()
	s.logger.Error("audit log", slog.String("error", err.Error()))
}

// closeAudit closes the audit log after the last call has written its line. The calls that the
// drain timeout has cut end soon.
func (s *Server) closeAudit() {
	select {
	case <-s.interceptor.Idle():
	case <-time.After(readAfter):
		s.logger.Warn("calls that have not ended are missing in the audit log")
	}
	if err := s.audit.Close(); err != nil {
		s.auditFailed(err)
	}
}
