package participant

// Control is a call that changes one field of one participant: the audio, or the state of the
// phone call (A8).
type Control uint8

// The controls.
const (
	ControlMute Control = iota + 1
	ControlUnmute
	ControlHold
	ControlResume
	ControlDisconnect
)

var controls = [...]struct {
	name  string
	field Fields
	after Participant
}{
	ControlMute:       {"mute", FieldMuted, Participant{Muted: true}},
	ControlUnmute:     {"unmute", FieldMuted, Participant{Muted: false}},
	ControlHold:       {"hold", FieldStatus, Participant{Status: StatusHeld}},
	ControlResume:     {"resume", FieldStatus, Participant{Status: StatusConnected}},
	ControlDisconnect: {"disconnect", FieldStatus, Participant{Status: StatusDisconnected}},
}

// String returns the upstream's name of the control, which is the last segment of its path.
func (c Control) String() string { return controls[c].name }

// Field returns the one field that the control changes: FieldMuted or FieldStatus.
func (c Control) Field() Fields { return controls[c].field }

// ApplyTo returns the participant with the value that the control gives to its field.
func (c Control) ApplyTo(p Participant) Participant {
	if c.Field() == FieldMuted {
		p.Muted = controls[c].after.Muted
	} else {
		p.Status = controls[c].after.Status
	}
	return p
}

// Controlled is a control that the upstream answered with success. The Item's id is always set.
// Its Fields are those of the participant in the answer, and empty where the answer contained
// none.
type Controlled struct {
	Control Control
	Item    Item
}
