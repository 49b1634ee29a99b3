package interceptor

import (
	"cmp"
	"context"
	"errors"
	"path"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/audit"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
)

// audited are the calls that the audit log contains (A15): all that change a conference. The
// values are their requests, without any field.
var audited = map[string]proto.Message{
	v2.ParticipantService_AddParticipant_FullMethodName:        &v2.AddParticipantRequest{},
	v2.ParticipantService_RemoveParticipant_FullMethodName:     &v2.RemoveParticipantRequest{},
	v2.ParticipantService_MuteParticipant_FullMethodName:       &v2.MuteParticipantRequest{},
	v2.ParticipantService_UnmuteParticipant_FullMethodName:     &v2.UnmuteParticipantRequest{},
	v2.ParticipantService_HoldParticipant_FullMethodName:       &v2.HoldParticipantRequest{},
	v2.ParticipantService_ResumeParticipant_FullMethodName:     &v2.ResumeParticipantRequest{},
	v2.ParticipantService_DisconnectParticipant_FullMethodName: &v2.DisconnectParticipantRequest{},
	v2.ParticipantService_MuteAllParticipants_FullMethodName:   &v2.MuteAllParticipantsRequest{},
	v2.ParticipantService_BatchAddParticipants_FullMethodName:  &v2.BatchAddParticipantsRequest{},
}

// AuditRefused writes the audit line of a call that was refused before it reached the
// interceptor. ctx contains its metadata; request is what could be read, or nil.
func (i *Interceptor) AuditRefused(ctx context.Context, method string, request proto.Message, err error) {
	i.auditRefused(ctx, requestctx.ValidRequestID(incoming(ctx, headerRequestID)), method, request, err)
}

func (i *Interceptor) auditRefused(ctx context.Context, requestID, method string, request proto.Message, err error) {
	empty, isAudited := audited[method]
	if i.audit == nil || !isAudited {
		return
	}
	if request == nil {
		request = empty
	}
	// The error may be about the request alone. The caller of wrong credentials has no name.
	caller, _ := i.authenticator.Authenticate(ctx, credentialsOf(ctx))
	refused := &call{
		interceptor: i, method: method, request: request, caller: caller.Name, requestID: requestID,
	}
	refused.audit(ctx, nil, refused.withDialled(err))
}

// audit writes the audit line of a call at its outcome. A call that only validates has no line.
func (c *call) audit(ctx context.Context, response any, err error) {
	_, isAudited := audited[c.method]
	if validates, ok := c.request.(interface{ GetValidateOnly() bool }); !isAudited || ok && validates.GetValidateOnly() {
		return
	}
	record := c.record(ctx, err)
	record.Dialled = c.dialled(err)
	if added, ok := response.(*v2.AddParticipantResponse); ok && err == nil {
		record.ParticipantID = added.GetParticipant().GetId()
	}
	c.interceptor.audit.Write(record)
}

// auditEntry counts an entry of a batch at its outcome, and writes its audit line.
func (c *call) auditEntry(ctx context.Context, entry audit.Entry) {
	record := c.record(ctx, entry.Err)
	record.Dialled = dialled(entry.Err)
	c.interceptor.metrics.EntryEnded(string(record.Dialled))
	record.PhoneNumber, record.ParticipantID = entry.PhoneNumber, entry.ParticipantID
	record.UpstreamRequestID = cmp.Or(entry.UpstreamRequestID, upstreamIDOf(entry.Err))
	c.interceptor.audit.Write(record)
}

// record returns the audit line of a call, or of a part of it, with this outcome.
func (c *call) record(ctx context.Context, err error) audit.Record {
	st := grpcstatus.From(err)
	record := audit.Record{
		Time: time.Now(), Caller: c.caller, Call: path.Base(c.method),
		Outcome: code.Code(st.Code()).String(), Reason: string(grpcstatus.Reason(st)),
		RequestID: c.requestID, UpstreamRequestID: c.upstreamID(err),
	}
	c.describe(ctx, &record)
	return record
}

// describe sets what the request says.
func (c *call) describe(ctx context.Context, record *audit.Record) {
	if named, ok := c.request.(interface{ GetConferenceId() string }); ok {
		record.ConferenceID = named.GetConferenceId()
	}
	if named, ok := c.request.(interface{ GetParticipantId() string }); ok {
		record.ParticipantID = named.GetParticipantId()
	}
	if named, ok := c.request.(interface{ GetPhoneNumber() string }); ok {
		record.PhoneNumber = named.GetPhoneNumber()
	}
	if keyed, ok := c.request.(interface{ GetRequestId() string }); ok {
		record.IdempotencyKey = cmp.Or(keyed.GetRequestId(), incoming(ctx, idempotencyKey))
	}
}

// dialled says whether the call may have made a phone ring.
func (c *call) dialled(err error) audit.Dialled {
	switch {
	case !wire.Dials(c.method):
		return audit.DialledNo
	case err == nil && c.method == v2.ParticipantService_BatchAddParticipants_FullMethodName:
		return c.entries
	default:
		return dialled(err)
	}
}

// dialled says whether an add with this outcome may have made a phone ring.
func dialled(err error) audit.Dialled {
	if err == nil {
		return audit.DialledYes
	}
	return audit.Dialled(apierror.From(err).Dialled)
}

// upstreamID returns the upstream's id of the last request of a call, or of the request that
// failed.
func (c *call) upstreamID(err error) string {
	if c.ids != nil && c.ids.UpstreamRequest() != "" {
		return c.ids.UpstreamRequest()
	}
	return upstreamIDOf(err)
}

// upstreamIDOf returns the upstream's id of the request that failed.
func upstreamIDOf(err error) string {
	if failed, ok := errors.AsType[*apierror.Error](err); ok {
		return failed.UpstreamRequestID
	}
	return ""
}
