package tracing

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/redact"
)

// logInterval is the least time between two logged errors.
const logInterval = time.Minute

// errorLog logs errors, at most one a minute. A collector's answer may repeat a header: the secrets
// are masked.
type errorLog struct {
	logger  *slog.Logger
	secrets redact.Secrets

	mu     sync.Mutex
	logged time.Time
	// omitted is the number of errors since then.
	omitted int
}

func newErrorLog(logger *slog.Logger, headers map[string]redact.Secret) *errorLog {
	l := &errorLog{logger: logger}
	for _, value := range headers {
		_, credential, _ := strings.Cut(value.Reveal(), " ")
		l.secrets = append(l.secrets, value, redact.Secret(credential))
	}
	return l
}

func (l *errorLog) report(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.logged.IsZero() && time.Since(l.logged) < logInterval {
		l.omitted++
		return
	}
	l.logger.Warn("traces were not exported", slog.String("error", l.secrets.MaskError(err).Error()), slog.Int("omitted", l.omitted))
	l.logged, l.omitted = time.Now(), 0
}
