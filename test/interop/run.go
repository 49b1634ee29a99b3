package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The outcomes of a step.
const (
	passed  = "ok"
	failed  = "FAILED"
	without = "-"
)

// stepResult is the outcome of a step for one client.
type stepResult struct {
	Step     string   `json:"step"`
	Result   string   `json:"result"`
	Seconds  float64  `json:"seconds"`
	Problems []string `json:"problems,omitzero"`
	// ended means that the step ended the client, refused that the client did not connect.
	ended, refused bool
}

// clientResult is the outcome of all steps for one client.
type clientResult struct {
	Client       string       `json:"client"`
	BuildSeconds float64      `json:"build_seconds"`
	RunSeconds   float64      `json:"run_seconds"`
	Skipped      string       `json:"skipped,omitzero"`
	Problem      string       `json:"problem,omitzero"`
	Steps        []stepResult `json:"steps"`
}

// runAll builds the clients, and plays the scenario with all of them at the same time.
func runAll(ctx context.Context, s settings, selected []client, steps []step, out io.Writer) []clientResult {
	builds := buildAll(ctx, s, selected, out)
	results := make([]clientResult, len(selected))
	var running sync.WaitGroup
	for i, c := range selected {
		b := builds[c.Name]
		results[i] = clientResult{Client: c.Name, BuildSeconds: b.seconds, Skipped: b.skipped, Problem: b.problem}
		if b.skipped != "" || b.problem != "" {
			continue
		}
		running.Go(func() {
			began := time.Now()
			if err := runClient(ctx, s, c, steps, &results[i]); err != nil {
				results[i].Problem = err.Error()
			}
			results[i].RunSeconds = time.Since(began).Seconds()
			_, _ = fmt.Fprintf(out, "ran %s in %.1f s\n", c.Name, results[i].RunSeconds)
		})
	}
	running.Wait()
	return results
}

// runClient plays all steps with one client. A client that fails a step is started anew for the next.
func runClient(ctx context.Context, s settings, c client, steps []step, result *clientResult) (err error) {
	log, err := os.Create(filepath.Join(s.logs, c.Name+".log"))
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	w, err := startWorld(ctx, s.server, c.Name, s.logs, !c.NoCredential)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	session := &session{settings: s, client: c, world: w, log: log}
	defer session.killProgram()
	for _, step := range steps {
		played, err := session.play(ctx, step)
		if err != nil {
			return err
		}
		result.Steps = append(result.Steps, played)
	}
	return nil
}

// session is a client in its world.
type session struct {
	settings settings
	client   client
	world    *world
	log      *os.File
	// program is the client's process; nil if it has to be started.
	program *program
}

// play plays one step. It returns an error if the client cannot be started.
func (s *session) play(ctx context.Context, step step) (played stepResult, err error) {
	if s.client.Without[step.Name] != "" {
		return stepResult{Step: step.Name, Result: without}, nil
	}
	isNew := s.program == nil
	if isNew {
		if s.program, err = startProgram(ctx, s.settings.clientDir, s.client.Run, s.log); err != nil {
			return played, err
		}
	}
	played = playStep(ctx, s.client, s.world, s.program, step)
	if isNew && played.refused {
		return played, fmt.Errorf("the client does not start, see %s", s.log.Name())
	}
	if played.ended || played.Result == failed {
		s.killProgram()
	}
	return played, nil
}

func (s *session) killProgram() {
	if s.program != nil {
		s.program.kill()
		s.program = nil
	}
}

// playStep plays one step and checks it.
func playStep(ctx context.Context, c client, w *world, p *program, s step) stepResult {
	began := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, stepLimit, fmt.Errorf("the step takes longer than %v", stepLimit))
	defer cancel()
	player := newPlayer(c, w, p, s)
	problems, err := player.run(ctx)
	problems = append(problems, p.takeBroken()...)
	result := stepResult{
		Step: s.Name, Result: passed, Seconds: time.Since(began).Seconds(), ended: player.ended, refused: errors.Is(err, errConnect),
	}
	switch {
	case err != nil && !errors.Is(err, errUnsupported):
		result.Result, result.Problems = failed, append([]string{err.Error()}, problems...)
	case len(problems) > 0:
		result.Result, result.Problems = failed, problems
	case err != nil:
		result.Result = without
	}
	return result
}

// errConnect means that the client did not answer the first command.
var errConnect = errors.New("connect")

// run plays the step, and returns what is wrong with what the client printed.
func (p *player) run(ctx context.Context) (problems []string, err error) {
	if err := p.world.reset(ctx); err != nil {
		return nil, err
	}
	p.world.upstream.create(p.step.conference(), p.step.Participants)
	p.truth, err = startReference(ctx, p.world.gateway, p.world.keys.secrets[driverKey], p.step.conference())
	if err != nil {
		return nil, err
	}
	defer p.truth.close()
	key := p.step.Key
	if key == "" {
		key = writerKey
	}
	connect := move{Note: "at the start", Send: message{"call": "connect", "key": key}, Expect: message{"ok": true}, Within: 20}
	if err := p.move(ctx, 0, connect); err != nil {
		return nil, fmt.Errorf("%w: %w", errConnect, err)
	}
	err = p.play(ctx)
	switch {
	case err == nil:
		return p.finish(ctx), nil
	case errors.Is(err, errUnsupported):
		return nil, err
	default:
		return p.checkWatches(time.Now()), err
	}
}
