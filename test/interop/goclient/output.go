package main

import (
	"io"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/audian/participant-gateway/client"
	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// object is a JSON object.
type object map[string]any

// output writes the lines of all commands.
type output struct {
	mu     sync.Mutex
	writer io.Writer
}

func (o *output) print(id string, line object) {
	line = maps.Clone(line)
	line["id"] = id
	text, err := json.Marshal(line, json.Deterministic(true))
	if err != nil {
		panic("encode a line: " + err.Error()) // Lines contain texts, numbers, lists and objects.
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	_, _ = o.writer.Write(append(text, '\n')) // Without a reader the program ends at the end of stdin.
}

func (o *output) ok(id string) { o.print(id, object{"ok": true}) }

func (o *output) fail(id string, err error) { o.print(id, object{"error": errorObject(err)}) }

func errorObject(err error) object {
	own, ok := client.AsError(err)
	if !ok {
		return object{"code": "UNKNOWN", "reason": ""}
	}
	o := object{"code": code.Code_name[int32(own.Code)], "reason": own.Reason}
	if own.Dialled != client.DialledAbsent {
		o["dialled"] = own.Dialled
	}
	if len(own.FieldViolations) > 0 {
		fields := make([]string, len(own.FieldViolations))
		for i, violation := range own.FieldViolations {
			fields[i] = violation.Field
		}
		o["fields"] = fields
	}
	if own.RetryDelay > 0 {
		o["retry_after_ms"] = own.RetryDelay.Milliseconds()
	}
	return o
}

func participantObject(p *v2.Participant) object {
	return object{
		"id": p.GetId(), "phone_number": p.GetPhoneNumber(), "name": p.GetName(), "role": word(p.GetRole()),
		"status": statusWord(p.GetStatus(), p.GetRawStatus()), "muted": p.GetMuted(),
	}
}

func stateObject(s client.State) object {
	roster := make(map[string]string, len(s.Roster))
	for id, p := range s.Roster {
		roster[id] = statusWord(p.GetStatus(), p.GetRawStatus())
		if p.GetMuted() {
			roster[id] += "+muted"
		}
	}
	o := object{"state": s.Kind.String(), "roster": roster, "fresh": s.Fresh, "stale_reason": s.StaleReason}
	if s.Total != nil {
		o["total"] = *s.Total
	}
	if s.Active != nil {
		o["active"] = *s.Active
	}
	switch s.Kind {
	case client.KindSnapshot:
		o["reason"] = word(s.SnapshotReason)
	case client.KindChanges:
		o["changes"] = changeObjects(s.Changes)
	case client.KindDisconnected:
		o["error"] = errorObject(s.Err)
	case client.KindEnd:
		o["reason"] = word(s.EndReason)
	case client.KindFreshness:
	}
	return o
}

func changeObjects(changes []*v2.ParticipantChange) []object {
	objects := make([]object, len(changes))
	for i, change := range changes {
		p := change.GetParticipant()
		objects[i] = object{
			"kind": word(change.GetKind()), "participant": p.GetId(), "status": statusWord(p.GetStatus(), p.GetRawStatus()),
		}
		if change.PreviousStatus != nil {
			objects[i]["previous_status"] = statusWord(change.GetPreviousStatus(), change.GetPreviousRawStatus())
		}
	}
	return objects
}

// eventObject is nil for an event that is not printed.
func eventObject(e client.BatchEvent) object {
	switch {
	case e.Accepted != nil:
		return object{"event": "accepted", "count": e.Accepted.GetCount()}
	case e.Result != nil && e.Result.Err != nil:
		return object{"event": "result", "index": e.Result.Index, "error": errorObject(e.Result.Err)}
	case e.Result != nil:
		return object{"event": "result", "index": e.Result.Index, "participant": participantObject(e.Result.Participant)}
	case e.Summary != nil:
		return object{"event": "summary", "added": e.Summary.GetAdded(), "failed": e.Summary.GetFailed(), "unknown": e.Summary.GetUnknown()}
	default:
		return nil
	}
}

// statusWord is the upstream's word for a status.
func statusWord(status v2.ParticipantStatus, raw string) string {
	if raw != "" {
		return raw
	}
	return word(status)
}

// word is the name of an enum's value in REST: without the enum's prefix, in lower case.
func word(value protoreflect.Enum) string {
	known := value.Descriptor().Values().ByNumber(value.Number())
	if known == nil {
		return strconv.Itoa(int(value.Number()))
	}
	return strings.ToLower(strings.TrimPrefix(string(known.Name()), prefix(value.Descriptor())))
}

// prefix is that of all names of an enum: PARTICIPANT_STATUS_.
func prefix(enum protoreflect.EnumDescriptor) string {
	return strings.TrimSuffix(string(enum.Values().ByNumber(0).Name()), "UNSPECIFIED")
}

// number is the value of an enum by its word in REST. An unknown word is 0.
func number(enum protoreflect.EnumDescriptor, word string) protoreflect.EnumNumber {
	value := enum.Values().ByName(protoreflect.Name(prefix(enum) + strings.ToUpper(word)))
	if value == nil {
		return 0
	}
	return value.Number()
}

func role(word string) v2.ParticipantRole {
	return v2.ParticipantRole(number(v2.ParticipantRole(0).Descriptor(), word))
}

func roles(words []string) []v2.ParticipantRole {
	all := make([]v2.ParticipantRole, len(words))
	for i, w := range words {
		all[i] = role(w)
	}
	return all
}

func statuses(words []string) []v2.ParticipantStatus {
	all := make([]v2.ParticipantStatus, len(words))
	for i, w := range words {
		all[i] = v2.ParticipantStatus(number(v2.ParticipantStatus(0).Descriptor(), w))
	}
	return all
}
