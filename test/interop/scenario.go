package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/audian/participant-gateway/internal/simulator"
)

// scenarioFile is the scenario; README.md describes its format.
//
//go:embed scenario.json
var scenarioFile []byte

// message is a JSON object: a command to a client, a line of a client, or what a line must contain.
type message = map[string]any

// step is one part of the scenario. It has a conference of its own.
type step struct {
	Name  string `json:"name"`
	Shows string `json:"shows"`
	// Key is the name of the key that the client has at the start; empty means writer.
	Key string `json:"key"`
	// Participants are in the conference at the start.
	Participants []simulator.Participant `json:"participants"`
	Moves        []move                  `json:"moves"`
}

// conference returns the id of the step's conference.
func (s step) conference() string { return "conf_" + s.Name }

// move is one action of a step. It has one of the fields from Send to Client; the others are options.
type move struct {
	Note string `json:"note"`

	// Send is a command to the client. With Expect, the move waits for the answer.
	Send message `json:"send"`
	// Await waits for a line of the client.
	Await message `json:"await"`
	// Upstream changes the simulated upstream.
	Upstream *upstreamMove `json:"upstream"`
	// Network is what the network between client and gateway does: pass, cut, stall or refuse, or
	// closed, which waits until the client has closed the connections that are stalled.
	Network string `json:"network"`
	// Gateway is restart: SIGTERM, then a new process.
	Gateway string `json:"gateway"`
	// Revoke withdraws the keys with these names.
	Revoke []string `json:"revoke"`
	// Dials are how often the upstream has dialled each number.
	Dials map[string]int `json:"dials"`
	// Settle waits until the gateway's roster is that of the upstream.
	Settle bool `json:"settle"`
	// Client is end: end of the client's input; its process must exit with code 0.
	Client string `json:"client"`

	// Expect is what the answer to Send must contain.
	Expect message `json:"expect"`
	// As is the name of the awaited line in variables; empty means its id.
	As string `json:"as"`
	// Allow are the states that may come before the awaited one, besides changes and freshness.
	Allow []string `json:"allow"`
	// Strict allows no line before the awaited one.
	Strict bool `json:"strict"`
	// Within is the time limit in seconds; 0 means the default. It counts from the start of the move,
	// or, if Since is network, from the last change of the network.
	Within float64 `json:"within_s"`
	Since  string  `json:"since"`
	// Optional goes on with the next move if the client cannot make the call.
	Optional bool `json:"optional"`
}

// upstreamMove is a change of the simulated upstream.
type upstreamMove struct {
	Join  []simulator.Participant `json:"join"`
	Leave []string                `json:"leave"`
	// Status sets the statuses of participants, by their id or phone number. A number waits until it
	// was dialled.
	Status map[string]string `json:"status"`
	Fault  *simulator.Fault  `json:"fault"`
	// ClearFaults ends all faults.
	ClearFaults bool `json:"clear_faults"`
	// DeleteConference deletes the step's conference.
	DeleteConference bool `json:"delete_conference"`
}

// readScenario decodes and validates a scenario.
func readScenario(text []byte) ([]step, error) {
	var file struct {
		Steps []step `json:"steps"`
	}
	if err := json.UnmarshalRead(bytes.NewReader(text), &file, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	names := map[string]bool{}
	for _, s := range file.Steps {
		if err := s.validate(); err != nil {
			return nil, fmt.Errorf("scenario: step %q: %w", s.Name, err)
		}
		if names[s.Name] {
			return nil, fmt.Errorf("scenario: two steps %q", s.Name)
		}
		names[s.Name] = true
	}
	return file.Steps, nil
}

func (s step) validate() error {
	if s.Name == "" || strings.ContainsAny(s.Name, " /") || s.Shows == "" || len(s.Moves) == 0 {
		return errors.New("needs a name of one word, the sentence `shows`, and moves")
	}
	for i, m := range s.Moves {
		if n := m.kinds(); n != 1 {
			return fmt.Errorf("move %d has %d actions", i+1, n)
		}
		if m.Expect != nil && m.Send == nil {
			return fmt.Errorf("move %d expects an answer to no command", i+1)
		}
	}
	return nil
}

// kinds counts the actions of a move.
func (m move) kinds() int {
	n := 0
	for _, has := range []bool{
		m.Send != nil, m.Await != nil, m.Upstream != nil, m.Network != "", m.Gateway != "", m.Revoke != nil, m.Dials != nil,
		m.Settle, m.Client != "",
	} {
		if has {
			n++
		}
	}
	return n
}

// selectSteps returns the steps with these names, in the scenario's order; no names select all.
func selectSteps(all []step, names []string) ([]step, error) {
	if len(names) == 0 {
		return all, nil
	}
	var selected []step
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[name] = true
	}
	for _, s := range all {
		if wanted[s.Name] {
			selected = append(selected, s)
			delete(wanted, s.Name)
		}
	}
	for name := range wanted {
		return nil, fmt.Errorf("the scenario has no step %q", name)
	}
	return selected, nil
}
