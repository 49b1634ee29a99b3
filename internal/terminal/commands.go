package terminal

import (
	"fmt"
	"time"

	"github.com/alecthomas/kong"
)

// commands is the command line.
type commands struct {
	Connection

	JSON bool     `name:"json" help:"Print JSON, one object a line."`
	Help helpFlag `short:"h" help:"Show this help and exit."`

	Watch      watchCommand      `help:"Show the participants of a conference and their changes, until the conference ends." cmd:""`
	List       listCommand       `help:"List the participants of a conference." cmd:""`
	Add        addCommand        `help:"Dial a number and add the person to a conference." cmd:""`
	Batch      batchCommand      `help:"Add the people of a CSV file to a conference." cmd:""`
	Remove     removeCommand     `help:"End the calls of participants and remove them." cmd:""`
	Mute       muteCommand       `help:"Mute participants." cmd:""`
	Unmute     unmuteCommand     `help:"End the muting of participants." cmd:""`
	Hold       holdCommand       `help:"Put participants on hold." cmd:""`
	Resume     resumeCommand     `help:"End the hold of participants." cmd:""`
	Disconnect disconnectCommand `help:"End the calls of participants, who stay listed for a while." cmd:""`
	MuteAll    muteAllCommand    `help:"Mute all participants of a conference." cmd:""`
}

// Connection says how to reach the gateway. The credential has no flag, because other users of a
// machine can read the arguments of a process.
type Connection struct {
	Addr               string `default:"${addr}" help:"The gateway's gRPC address [$$GATEWAY_ADDR]. The key or token is in $$GATEWAY_KEY."`
	TLS                bool   `name:"tls" help:"Connect with TLS."`
	TLSCAFile          string `name:"tls-ca-file" placeholder:"FILE" help:"File of the certificate authorities to trust, in PEM (default: the system's). Implies --tls."`
	InsecureCredential bool   `help:"Send the key without TLS to another machine, where everybody on the way can read it."`
}

// Filter selects participants.
type Filter struct {
	Statuses []string `enum:"pending,dialing,connected,held,disconnected,rejected" placeholder:"STATUS" help:"Only participants with these statuses, separated by commas."`
	Roles    []string `enum:"presenter,listener,operator" placeholder:"ROLE" help:"Only participants with these roles, separated by commas."`
}

type watchCommand struct {
	Filter

	Conference string        `help:"Conference to watch." arg:""`
	Heartbeat  time.Duration `default:"15s" help:"Longest time between two messages of the gateway: 5s to 60s."`
}

type listCommand struct {
	Filter

	Conference string `help:"Conference to list." arg:""`
}

type addCommand struct {
	Conference    string `help:"Conference to add to." arg:""`
	PhoneNumber   string `help:"Number to dial, in E.164 form such as +12025551234." arg:""`
	Name          string `help:"Display name."`
	Role          string `default:"" enum:",presenter,listener,operator" placeholder:"ROLE" help:"presenter, listener or operator (default: the upstream decides)."`
	Muted         bool   `help:"Muted from the start."`
	SendPINViaSMS bool   `name:"send-pin-via-sms" help:"Send the conference's PIN by text message."`
	Wait          bool   `help:"Wait until the person answers, or the call fails."`
	RequestID     string `name:"request-id" placeholder:"ID" help:"Makes the command safe to repeat: the same id dials once (default: a new id)."`
	ValidateOnly  bool   `help:"Check everything, but do not dial."`
}

type batchCommand struct {
	Conference   string `help:"Conference to add to." arg:""`
	File         string `help:"CSV file with the columns phone_number, name, role, muted; - reads the standard input." arg:""`
	AsGiven      bool   `help:"Dial in the order of the file (default: presenters first)."`
	RequestID    string `name:"request-id" placeholder:"ID" help:"Makes the command safe to repeat: the same id and file dial each number once (default: a new id)."`
	ValidateOnly bool   `help:"Check everything, but do not dial."`
}

// participants are the arguments of a command for participants.
type participants struct {
	Conference   string   `help:"Conference of the participants." arg:""`
	Participants []string `name:"participant" help:"Ids of the participants." arg:""`
}

type (
	removeCommand     struct{ participants }
	muteCommand       struct{ participants }
	unmuteCommand     struct{ participants }
	holdCommand       struct{ participants }
	resumeCommand     struct{ participants }
	disconnectCommand struct{ participants }
)

type muteAllCommand struct {
	Conference string `help:"Conference whose participants are muted." arg:""`
}

type helpFlag bool

// BeforeReset is the hook that kong calls first.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	if err := ctx.PrintUsage(false); err != nil {
		return fmt.Errorf("print the help: %w", err)
	}
	return ErrHelp
}
