package service

import (
	"context"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/participant"
)

// masksNumbers reports whether the caller sees only masked phone numbers (A13).
func masksNumbers(ctx context.Context) bool { return !access.FromContext(ctx).SeesNumbers }

// visibleTo returns a participant as the caller may see it.
func visibleTo(ctx context.Context, p participant.Participant) participant.Participant {
	return participant.Filter{MaskNumbers: masksNumbers(ctx)}.Show(p)
}
