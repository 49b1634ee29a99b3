package wire

import (
	"github.com/go-json-experiment/json/jsontext"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
)

// NewBatchMessage returns a message of a batch for its stream to send (A9).
func NewBatchMessage(response *v2.BatchAddParticipantsResponse) *Message {
	return &Message{own: response}
}

// BatchResult returns the outcome that a message of a batch contains, or nil.
func (m *Message) BatchResult() *v2.BatchResult {
	response, _ := m.own.(*v2.BatchAddParticipantsResponse)
	return response.GetResult()
}

// setEvent returns the field name in the oneof of a message.
func setEvent(m proto.Message) string {
	message := m.ProtoReflect()
	set := message.WhichOneof(message.Descriptor().Oneofs().ByName("event"))
	return string(set.Name())
}

// batchJSON has exactly one member.
type batchJSON struct {
	Accepted *acceptedJSON `json:"accepted,omitzero"`
	Result   *resultJSON   `json:"result,omitzero"`
	Progress *progressJSON `json:"progress,omitzero"`
	Summary  *summaryJSON  `json:"summary,omitzero"`
}

func batchJSONOf(m *v2.BatchAddParticipantsResponse) batchJSON {
	switch event := m.GetEvent().(type) {
	case *v2.BatchAddParticipantsResponse_Accepted:
		a := event.Accepted
		return batchJSON{Accepted: &acceptedJSON{a.GetCount(), (*jsonDuration)(a.GetExpectedDuration())}}
	case *v2.BatchAddParticipantsResponse_Result:
		return batchJSON{Result: resultJSONOf(event.Result)}
	case *v2.BatchAddParticipantsResponse_Progress:
		p := event.Progress
		return batchJSON{Progress: &progressJSON{p.GetDone(), p.GetFailed(), p.GetTotal(), (*jsonDuration)(p.GetRemainingTime())}}
	default:
		s := m.GetSummary()
		return batchJSON{Summary: &summaryJSON{s.GetAdded(), s.GetFailed(), s.GetUnknown()}}
	}
}

type acceptedJSON struct {
	Count            int32         `json:"count"`
	ExpectedDuration *jsonDuration `json:"expected_duration"`
}

// resultJSON has the index and exactly one other member.
type resultJSON struct {
	Index       int32          `json:"index"`
	Participant jsontext.Value `json:"participant,omitzero"`
	Error       jsontext.Value `json:"error,omitzero"`
}

func resultJSONOf(r *v2.BatchResult) *resultJSON {
	encoded := &resultJSON{Index: r.GetIndex()}
	if added := r.GetParticipant(); added != nil {
		encoded.Participant = appendParticipant(nil, added)
	} else {
		encoded.Error = errorJSON(r.GetError())
	}
	return encoded
}

type progressJSON struct {
	Done          int32         `json:"done"`
	Failed        int32         `json:"failed"`
	Total         int32         `json:"total"`
	RemainingTime *jsonDuration `json:"remaining_time"`
}

type summaryJSON struct {
	Added   int32 `json:"added"`
	Failed  int32 `json:"failed"`
	Unknown int32 `json:"unknown"`
}

// refusalJSON is why a conference of a stream of several ended (A16).
type refusalJSON struct {
	ConferenceID string         `json:"conference_id"`
	Error        jsontext.Value `json:"error"`
}

// errorJSON returns the error object of an error body.
func errorJSON(st *spb.Status) jsontext.Value {
	return grpcstatus.ErrorObject(status.FromProto(st))
}
