package service

import (
	"cmp"
	"context"
	"io"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/audit"
	"github.com/audian/participant-gateway/internal/batch"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/wire"
	"github.com/audian/participant-gateway/internal/write"
)

// BatchAddParticipants adds the entries of a batch, and reports each outcome (A9).
func (s *Service) BatchAddParticipants(
	request *v2.BatchAddParticipantsRequest, stream grpc.ServerStreamingServer[v2.BatchAddParticipantsResponse],
) error {
	ctx := stream.Context()
	account, err := s.accounts.For(access.FromContext(ctx))
	if err != nil {
		return err
	}
	adds, order, calling := addsOf(request.GetEntries()), sendingOrder(request), s.policyOf(ctx)
	if err := calling.CheckNumbers(numbersOf(adds)); err != nil {
		return err
	}
	if request.GetValidateOnly() {
		if err := calling.CheckEntries(ctx, order); err != nil {
			return err
		}
		return sendFrom(ctx, &validated{events: s.batches.Validated(len(adds))}, stream)
	}
	call := s.callOf(ctx, account, request.GetConferenceId())
	call.RequestID = request.GetRequestId()
	opened, err := s.batches.Open(ctx, batch.Request{
		Call: call, Adds: adds, Order: order, Resume: request.GetResume(), Check: calling.CheckEntries,
		Done: func(index int, added write.Added, err error, upstreamRequestID string) {
			audit.WriteEntry(ctx, audit.Entry{
				PhoneNumber: adds[index].PhoneNumber, ParticipantID: added.Participant.ID,
				UpstreamRequestID: upstreamRequestID, Err: err,
			})
		},
	})
	if err != nil {
		return err
	}
	return interrupted(sendFrom(ctx, entries{opened}, stream))
}

// interrupted returns the error of a batch that was accepted: its phones may ring.
func interrupted(err error) error {
	if err == nil {
		return nil
	}
	own := *apierror.From(err)
	own.Dialled = apierror.DialledUnknown
	if own.Reason == apierror.ClientBlocked {
		own.Message = "the client has not read for a minute; call again with the same request_id and resume"
	}
	return &own
}

func addsOf(entries []*v2.BatchEntry) []participant.Add {
	adds := make([]participant.Add, len(entries))
	for i, entry := range entries {
		adds[i] = participant.Add{
			PhoneNumber:   entry.GetPhoneNumber(),
			Name:          entry.GetName(),
			Role:          wire.Role(entry.GetRole()),
			Muted:         entry.GetMuted(),
			SendPINViaSMS: entry.GetSendPinViaSms(),
		}
	}
	return adds
}

func numbersOf(adds []participant.Add) []string {
	numbers := make([]string, len(adds))
	for i, add := range adds {
		numbers[i] = add.PhoneNumber
	}
	return numbers
}

// sendingOrder returns the indexes of the entries in the order in which they are sent.
func sendingOrder(request *v2.BatchAddParticipantsRequest) []int {
	order := make([]int, len(request.GetEntries()))
	for i := range order {
		order[i] = i
	}
	if request.GetOrder() == v2.BatchOrder_BATCH_ORDER_AS_GIVEN {
		return order
	}
	rank := func(index int) int {
		if request.GetEntries()[index].GetRole() == v2.ParticipantRole_PARTICIPANT_ROLE_PRESENTER {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rank(a), rank(b)) })
	return order
}

// entries is the source of the stream of a batch.
type entries struct{ *batch.Stream }

// Next returns the next message.
func (e entries) Next(ctx context.Context) (*wire.Message, error) {
	event, err := e.Stream.Next(ctx)
	if err != nil {
		return nil, err
	}
	return batchMessage(event), nil
}

// validated is the source of the stream of a batch that is only validated (A10).
type validated struct{ events []batch.Event }

// Next returns the next message.
func (v *validated) Next(context.Context) (*wire.Message, error) {
	if len(v.events) == 0 {
		return nil, io.EOF
	}
	event := v.events[0]
	v.events = v.events[1:]
	return batchMessage(event), nil
}

// Close does nothing.
func (*validated) Close() {}

func batchMessage(event batch.Event) *wire.Message {
	resp := &v2.BatchAddParticipantsResponse{}
	switch {
	case event.Accepted != nil:
		resp.Event = &v2.BatchAddParticipantsResponse_Accepted{Accepted: &v2.BatchAccepted{
			Count: int32(event.Accepted.Count), ExpectedDuration: durationpb.New(event.Accepted.Expected),
		}}
	case event.Result != nil:
		resp.Event = &v2.BatchAddParticipantsResponse_Result{Result: batchResult(event.Result)}
	case event.Progress != nil:
		p := event.Progress
		resp.Event = &v2.BatchAddParticipantsResponse_Progress{Progress: &v2.BatchProgress{
			Done: int32(p.Done), Failed: int32(p.Failed), Total: int32(p.Total), RemainingTime: durationpb.New(p.Remaining),
		}}
	default:
		s := event.Summary
		resp.Event = &v2.BatchAddParticipantsResponse_Summary{Summary: &v2.BatchSummary{
			Added: int32(s.Added), Failed: int32(s.Failed), Unknown: int32(s.Unknown),
		}}
	}
	return wire.NewBatchMessage(resp)
}

func batchResult(r *batch.Result) *v2.BatchResult {
	result := &v2.BatchResult{Index: int32(r.Index)}
	if r.Err == nil {
		result.Outcome = &v2.BatchResult_Participant{Participant: wire.Participant(r.Participant)}
	} else {
		result.Outcome = &v2.BatchResult_Error{Error: grpcstatus.From(r.Err).Proto()}
	}
	return result
}
