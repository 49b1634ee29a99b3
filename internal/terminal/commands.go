package terminal

import (
	"fmt"
	"time"

	"github.com/alecthomas/kong"
)

// commands is the command line.
type commands struct {
	Connection

	JSON bool     `help:"Print JSON, one object a line." name:"json"`
	Help helpFlag `help:"Show this help and exit."      short:"h"`

	Watch      watchCommand      `cmd:"" help:"Show the participants of a conference and their changes, until the conference ends."`
	List       listCommand       `cmd:"" help:"List the participants of a conference."`
	Add        addCommand        `cmd:"" help:"Dial a number and add the person to a conference."`
	Batch      batchCommand      `cmd:"" help:"Add the people of a CSV file to a conference."`
	Remove     removeCommand     `cmd:"" help:"End the calls of participants and remove them."`
	Mute       muteCommand       `cmd:"" help:"Mute participants."`
	Unmute     unmuteCommand     `cmd:"" help:"End the muting of participants."`
	Hold       holdCommand       `cmd:"" help:"Put participants on hold."`
	Resume     resumeCommand     `cmd:"" help:"End the hold of participants."`
	Disconnect disconnectCommand `cmd:"" help:"End the calls of participants, who stay listed for a while."`
	MuteAll    muteAllCommand    `cmd:"" help:"Mute all participants of a conference."`
}

// Connection says how to reach the gateway. The credential has no flag, because other users of a
// machine can read the arguments of a process.
type Connection struct {
	Addr               string `default:"${addr}" help:"The gateway's gRPC address [$$GATEWAY_ADDR]. The key or token is in $$GATEWAY_KEY."`
	TLS                bool   `help:"Connect with TLS." name:"tls"`
	TLSCAFile          string `help:"File of the certificate authorities to trust, in PEM (default: the system's). Implies --tls." name:"tls-ca-file" placeholder:"FILE"`
	InsecureCredential bool   `help:"Send the key without TLS to another machine, where everybody on the way can read it."`
}

// Filter selects participants.
type Filter struct {
	Statuses []string `enum:"pending,dialing,connected,held,disconnected,rejected" help:"Only participants with these statuses, separated by commas." placeholder:"STATUS"`
	Roles    []string `enum:"presenter,listener,operator"                          help:"Only participants with these roles, separated by commas."    placeholder:"ROLE"`
}

type watchCommand struct {
	Filter

	Conference string        `arg:"" help:"Conference to watch."`
	Heartbeat  time.Duration `default:"15s" help:"Longest time between two messages of the gateway: 5s to 60s."`
}

type listCommand struct {
	Filter

	Conference string `arg:"" help:"Conference to list."`
}

type addCommand struct {
	Conference    string `arg:"" help:"Conference to add to."`
	PhoneNumber   string `arg:"" help:"Number to dial, in E.164 form such as +12025551234."`
	Name          string `help:"Display name."`
	Role          string `enum:",presenter,listener,operator" default:"" help:"presenter, listener or operator (default: the upstream decides)." placeholder:"ROLE"`
	Muted         bool   `help:"Muted from the start."`
	SendPINViaSMS bool   `help:"Send the conference's PIN by text message." name:"send-pin-via-sms"`
	Wait          bool   `help:"Wait until the person answers, or the call fails."`
	RequestID     string `help:"Makes the command safe to repeat: the same id dials once (default: a new id)." name:"request-id" placeholder:"ID"`
	ValidateOnly  bool   `help:"Check everything, but do not dial."`
}

type batchCommand struct {
	Conference   string `arg:"" help:"Conference to add to."`
	File         string `arg:"" help:"CSV file with the columns phone_number, name, role, muted; - reads the standard input."`
	AsGiven      bool   `help:"Dial in the order of the file (default: presenters first)."`
	RequestID    string `help:"Makes the command safe to repeat: the same id and file dial each number once (default: a new id)." name:"request-id" placeholder:"ID"`
	ValidateOnly bool   `help:"Check everything, but do not dial."`
}

// participants are the arguments of a command for participants.
type participants struct {
	Conference   string   `arg:"" help:"Conference of the participants."`
	Participants []string `arg:"" help:"Ids of the participants." name:"participant"`
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
	Conference string `arg:"" help:"Conference whose participants are muted."`
}

type helpFlag bool

// BeforeReset is the hook that kong calls first.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	if err := ctx.PrintUsage(false); err != nil {
		return fmt.Errorf("print the help: %w", err)
	}
	return ErrHelp
}
