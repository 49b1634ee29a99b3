package feed

import "github.com/audian/participant-gateway/internal/participant"

// ControlRecord is one control in progress.
type ControlRecord struct{}

// BeginControl is called just before a control is sent.
func (h *Hub) BeginControl(participant.Key) *ControlRecord { return &ControlRecord{} }

// Done records that the upstream carried the control out.
func (r *ControlRecord) Done(participant.Controlled) {}

// BringForward makes the conference's feed read its next list earlier.
func (h *Hub) BringForward(participant.Key) {}
