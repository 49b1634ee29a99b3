package terminal

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/audian/participant-gateway/client"
	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// Run adds the people of a file, prints the outcome of each, and shows the progress. It fails if
// somebody was not added.
func (c *batchCommand) Run(ctx context.Context, s *session) error {
	entries, lines, err := readPeople(c.File, s.process.In)
	if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	if c.RequestID == "" {
		c.RequestID = rand.Text()
	}
	run := &batchRun{
		session: s, entries: entries, lines: lines,
		failed: map[int]bool{}, bar: newBar(s.process, len(entries)),
	}
	for event, err := range s.client.BatchAdd(ctx, c.Conference, entries, c.options()...) {
		if err == nil {
			err = run.show(event)
		}
		if err != nil {
			run.bar.close()
			return fmt.Errorf("batch: %w", c.explain(err, lines))
		}
	}
	run.bar.close()
	return run.err()
}

func (c *batchCommand) options() []client.BatchOption {
	options := []client.BatchOption{client.RequestID(c.RequestID)}
	if c.AsGiven {
		options = append(options, client.Order(v2.BatchOrder_BATCH_ORDER_AS_GIVEN))
	}
	if c.ValidateOnly {
		options = append(options, client.ValidateOnly())
	}
	return options
}

// explain names the lines of the file in an error, and how the batch goes on.
func (c *batchCommand) explain(err error, lines []int) error {
	failed, ok := client.AsError(err)
	if !ok {
		return err
	}
	for i, violation := range failed.FieldViolations {
		var index int
		if _, err := fmt.Sscanf(violation.Field, "entries[%d]", &index); err == nil && index < len(lines) {
			_, field, _ := strings.Cut(violation.Field, "]")
			failed.FieldViolations[i].Field = fmt.Sprintf("line %d%s", lines[index], field)
		}
	}
	if failed.Dialled == client.DialledNo || c.ValidateOnly {
		return describe(failed)
	}
	return fmt.Errorf("%w; to go on without dialling anybody twice: the same file and --request-id=%s", describe(failed), c.RequestID)
}

// batchRun is a batch under way.
type batchRun struct {
	session *session
	entries []*v2.BatchEntry
	lines   []int
	bar     *bar
	// failed are the entries with an outcome: whether it is an error.
	failed  map[int]bool
	summary *v2.BatchSummary
}

func (r *batchRun) show(event client.BatchEvent) error {
	switch {
	case event.Accepted != nil:
		r.bar.expect(event.Accepted.GetExpectedDuration().AsDuration())
	case event.Progress != nil:
		r.bar.expect(event.Progress.GetRemainingTime().AsDuration())
	case event.Result != nil:
		r.failed[event.Result.Index] = event.Result.Err != nil
		return r.print(event.Result)
	case event.Disconnected != nil:
		r.bar.trouble("no connection: " + describe(event.Disconnected).Error())
	case event.Summary != nil:
		r.summary = event.Summary
	}
	return nil
}

// jsonResult is the outcome of one line of the file.
type jsonResult struct {
	Line        int              `json:"line"`
	PhoneNumber string           `json:"phone_number"`
	Participant *jsonParticipant `json:"participant,omitzero"`
	Error       *jsonError       `json:"error,omitzero"`
}

func (r *batchRun) print(result *client.BatchResult) error {
	r.bar.clear()
	defer r.progress()
	line, number := r.lines[result.Index], r.entries[result.Index].GetPhoneNumber()
	if r.session.json {
		printed := jsonResult{Line: line, PhoneNumber: number, Error: newJSONError(result.Err)}
		if result.Participant != nil {
			p := newJSONParticipant(result.Participant)
			printed.Participant = &p
		}
		return printJSON(r.session.process.Out, printed)
	}
	text := fields(fmt.Sprintf("line %d", line), number, "added", result.Participant.GetId())
	switch {
	case result.Err != nil && result.Err.Dialled == client.DialledUnknown:
		text = fields(fmt.Sprintf("line %d", line), number, "unknown", describe(result.Err).Error())
	case result.Err != nil:
		text = fields(fmt.Sprintf("line %d", line), number, "failed", describe(result.Err).Error())
	}
	if _, err := fmt.Fprintln(r.session.process.Out, text); err != nil {
		return fmt.Errorf("print a result: %w", err)
	}
	return nil
}

// progress shows how many entries have an outcome.
func (r *batchRun) progress() {
	failed := 0
	for _, f := range r.failed {
		if f {
			failed++
		}
	}
	r.bar.progress(len(r.failed), failed)
}

// err returns an error if somebody was not added.
func (r *batchRun) err() error {
	failed, unknown := r.summary.GetFailed(), r.summary.GetUnknown()
	if failed+unknown == 0 {
		return nil
	}
	return fmt.Errorf("batch: %d added, %d failed, %d unknown", r.summary.GetAdded(), failed, unknown)
}
