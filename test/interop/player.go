package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// defaultWithin is the time limit of a move, and stepLimit that of a step.
	defaultWithin = 12 * time.Second
	stepLimit     = 75 * time.Second
)

// errUnsupported means that the client cannot make the call of a step, and does not have to.
var errUnsupported = errors.New("the client does not support the call")

// conversation is a client: it takes commands and prints lines.
type conversation interface {
	send(command message) error
	line(ctx context.Context, id string, n int) (line, error)
	of(id string) []line
}

// player plays one step with one client.
type player struct {
	client  client
	world   *world
	program conversation
	step    step
	// truth is the driver's own watch of the step's conference; nil if the step has none.
	truth *reference

	// commands are those that were sent, and used the number of lines of each that moves have awaited,
	// both by the id in the scenario. watches are the ids of watches in order.
	commands map[string]message
	used     map[string]int
	watches  []string
	// awaited is the last line that a move awaited, by id.
	awaited   map[string]message
	networkAt time.Time
	ended     bool
}

func newPlayer(c client, w *world, p conversation, s step) *player {
	return &player{
		client: c, world: w, program: p, step: s, networkAt: time.Now(),
		commands: map[string]message{}, used: map[string]int{}, awaited: map[string]message{},
	}
}

// play makes all moves.
func (p *player) play(ctx context.Context) error {
	for i, m := range p.step.Moves {
		err := p.move(ctx, i, m)
		if m.Optional && errors.Is(err, errUnsupported) {
			continue
		}
		if err != nil {
			return fmt.Errorf("move %d%s: %w", i+1, note(m), err)
		}
	}
	return nil
}

func note(m move) string {
	if m.Note == "" {
		return ""
	}
	return " (" + m.Note + ")"
}

func (p *player) move(ctx context.Context, i int, m move) error {
	began := time.Now()
	if m.Since == "network" {
		began = p.networkAt
	}
	within := defaultWithin
	if m.Within > 0 {
		within = time.Duration(m.Within * float64(time.Second))
	}
	ctx, cancel := context.WithDeadlineCause(ctx, began.Add(within), fmt.Errorf("not within %v", within))
	defer cancel()
	switch {
	case m.Send != nil:
		return p.sendMove(ctx, i, m)
	case m.Await != nil:
		return p.await(ctx, m)
	case m.Client != "":
		return p.endClient(ctx)
	default:
		return p.worldMove(ctx, m)
	}
}

// worldMove makes a move that does not concern the client.
func (p *player) worldMove(ctx context.Context, m move) error {
	switch {
	case m.Upstream != nil:
		return p.world.upstream.change(ctx, p.step.conference(), p.resolveUpstream(m.Upstream))
	case m.Network != "":
		if m.Network != "closed" {
			p.networkAt = time.Now()
		}
		return p.world.network().set(ctx, m.Network)
	case m.Gateway == "restart":
		return p.world.gateway.restart(ctx)
	case m.Revoke != nil:
		for _, name := range m.Revoke {
			if err := p.world.keys.revoke(ctx, name); err != nil {
				return err
			}
		}
		return nil
	case m.Dials != nil:
		return p.checkDials(m.Dials)
	case m.Settle:
		return p.settle(ctx)
	default:
		return errors.New("unknown move")
	}
}

func (p *player) checkDials(want map[string]int) error {
	dialled := dialCounts(p.world.upstream.Dials(), p.step.conference())
	for number, n := range want {
		if dialled[number] != n {
			return fmt.Errorf("%s was dialled %d times, expected %d", number, dialled[number], n)
		}
	}
	return nil
}

func (p *player) sendMove(ctx context.Context, i int, m move) error {
	command := p.command(i, m.Send)
	id, _ := command["id"].(string)
	call, _ := command["call"].(string)
	p.commands[id] = command
	if call == "watch" {
		p.watches = append(p.watches, id)
	}
	if err := p.send(command); err != nil {
		return err
	}
	if m.Expect == nil {
		return nil
	}
	expected := message{"id": id}
	maps.Copy(expected, m.Expect)
	m.Await, m.Strict = expected, true
	return p.await(ctx, m)
}

// command returns the command of a move with its id, its conference, and the values of variables.
func (p *player) command(i int, send message) message {
	command, _ := p.resolve(send).(message)
	if _, ok := command["id"]; !ok {
		command["id"] = fmt.Sprintf("%v-%d", command["call"], i+1)
	}
	if _, ok := command["conference"]; !ok && command["call"] != "connect" && command["call"] != "stop" {
		command["conference"] = p.step.conference()
	}
	if command["call"] == "connect" {
		p.connect(command)
	}
	return command
}

// connect replaces the names of keys by the keys, and adds the addresses.
func (p *player) connect(command message) {
	command["target"] = p.world.grpc.addr()
	command["url"] = "http://" + p.world.http.addr()
	if name, ok := command["key"].(string); ok {
		command["credential"] = p.world.keys.secrets[name]
		delete(command, "key")
	}
	if names, ok := command["keys"]; ok {
		secrets := texts(names)
		for i, name := range secrets {
			secrets[i] = p.world.keys.secrets[name]
		}
		command["credentials"] = secrets
		delete(command, "keys")
	}
}

// send sends a command. Ids get the step's name, so that each is used once.
func (p *player) send(command message) error {
	sent := message{}
	for name, value := range command {
		if id, ok := value.(string); ok && (name == "id" || name == "continue" || name == "watch") {
			value = p.longID(id)
		}
		sent[name] = value
	}
	return p.program.send(sent)
}

func (p *player) longID(id string) string { return p.step.Name + "/" + id }

// await waits for the awaited line.
func (p *player) await(ctx context.Context, m move) error {
	want, _ := p.resolve(m.Await).(message)
	id, _ := want["id"].(string)
	want["id"] = p.longID(id)
	awaited := line{fields: want, state: stateOf(want)}
	var found []string
	for {
		l, err := p.program.line(ctx, p.longID(id), p.used[id])
		if err != nil {
			return notFound(want, found, err)
		}
		p.used[id]++
		if l.fields["unsupported"] == true {
			return p.unsupported(id)
		}
		found = match("", want, l.fields)
		if l.kind() == awaited.kind() && len(found) == 0 {
			p.awaited[cmp.Or(m.As, id)] = l.fields
			return nil
		}
		if len(found) == 0 {
			found = []string{"is a line of another kind: " + l.kind()}
		}
		if m.Strict || !p.mayPass(m, l.kind()) {
			return fmt.Errorf("%s; got %s, awaited %s", strings.Join(found, "; "), shorten(l.text), show(want))
		}
	}
}

func notFound(want message, found []string, err error) error {
	if len(found) > 0 {
		return fmt.Errorf("%w; of the last line %s; awaited %s", err, strings.Join(found, "; "), show(want))
	}
	return fmt.Errorf("%w; awaited %s", err, show(want))
}

// mayPass reports whether a line of that kind may come before the awaited one.
func (p *player) mayPass(m move, kind string) bool {
	return slices.Contains([]string{changesState, freshnessState, "result"}, kind) || slices.Contains(m.Allow, kind)
}

func (p *player) unsupported(id string) error {
	call, _ := p.commands[id]["call"].(string)
	if slices.Contains(p.client.Unsupported, call) {
		return errUnsupported
	}
	return fmt.Errorf("answers that it does not support %s", call)
}

// endClient ends the client's input; it must exit.
func (p *player) endClient(ctx context.Context) error {
	p.ended = true
	ending, ok := p.program.(interface {
		end(ctx context.Context) error
	})
	if !ok {
		return errors.New("cannot end this client")
	}
	return ending.end(ctx)
}
