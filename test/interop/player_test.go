package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-json-experiment/json"
)

// fakeClient answers each command with the lines of its call; {id} stands for the command's id.
type fakeClient struct {
	*transcript

	answers map[string][]string
	output  io.Writer
}

func newFakeClient(answers map[string][]string) *fakeClient {
	output, written := io.Pipe()
	c := &fakeClient{transcript: newTranscript(), answers: answers, output: written}
	go c.read(output)
	return c
}

func (c *fakeClient) send(command message) error {
	call, _ := command["call"].(string)
	id, _ := command["id"].(string)
	for _, text := range c.answers[call] {
		if _, err := io.WriteString(c.output, strings.ReplaceAll(text, "{id}", id)+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func (c *fakeClient) end() { _ = c.output.(io.Closer).Close() }

func TestPlayer(t *testing.T) {
	const watch = `{"send": {"id": "w", "call": "watch"}}`
	for name, test := range map[string]struct {
		answers map[string][]string
		moves   string
		wrong   string
	}{
		"an answer": {
			map[string][]string{"get": {`{"id":"{id}","participant":{"id":"ada","status":"held"}}`}},
			`[{"send": {"call": "get"}, "expect": {"participant": {"id": "ada"}}}]`, "",
		},
		"a wrong code": {
			map[string][]string{"get": {`{"id":"{id}","error":{"code":"INTERNAL"}}`}},
			`[{"send": {"call": "get"}, "expect": {"error": {"code": "NOT_FOUND"}}}]`, `error.code is "INTERNAL", expected "NOT_FOUND"`,
		},
		"an error in place of an answer": {
			map[string][]string{"get": {`{"id":"{id}","error":{"code":"INTERNAL"}}`}},
			`[{"send": {"call": "get"}, "expect": {"participant": {}}}]`, `got {"id":"s/get-1","error":{"code":"INTERNAL"}}`,
		},
		"a hang": {
			nil, `[{"send": {"call": "get"}, "expect": {"ok": true}, "within_s": 3}]`, "not within 3s",
		},
		"a watch that hangs": {
			map[string][]string{"watch": {`{"id":"{id}","state":"snapshot","roster":{"ada":"held"}}`}},
			`[` + watch + `, {"await": {"id": "w", "state": "snapshot"}}, {"await": {"id": "w", "state": "changes"}}]`, "not within 12s",
		},
		"changes may pass": {
			map[string][]string{"watch": {`{"id":"{id}","state":"changes","roster":{}}`, `{"id":"{id}","state":"changes","roster":{"ada":"held"}}`}},
			`[` + watch + `, {"await": {"id": "w", "state": "changes", "roster": {"ada": "held"}}}]`, "",
		},
		"nothing passes a strict move": {
			map[string][]string{"watch": {`{"id":"{id}","state":"changes","roster":{}}`, `{"id":"{id}","state":"end"}`}},
			`[` + watch + `, {"await": {"id": "w", "state": "end"}, "strict": true}]`, `awaited {"id":"s/w","state":"end"}`,
		},
		"a snapshot in place of changes": {
			map[string][]string{"watch": {`{"id":"{id}","state":"snapshot","roster":{}}`}},
			`[` + watch + `, {"await": {"id": "w", "state": "changes"}}]`, `state is "snapshot", expected "changes"`,
		},
		"a break that is allowed": {
			map[string][]string{"watch": {`{"id":"{id}","state":"disconnected","error":{}}`, `{"id":"{id}","state":"changes"}`}},
			`[` + watch + `, {"await": {"id": "w", "state": "changes"}, "allow": ["disconnected"]}]`, "",
		},
		"a variable": {
			map[string][]string{
				"add": {`{"id":"{id}","participant":{"id":"part_1"}}`}, "get": {`{"id":"{id}","participant":{"id":"part_2"}}`},
			},
			`[{"send": {"id": "a", "call": "add"}, "expect": {"participant": {"id": "*"}}},
			  {"send": {"call": "get"}, "expect": {"participant": {"id": "$a.participant.id"}}}]`, `participant.id is "part_2", expected "part_1"`,
		},
		"a call that the client need not support": {
			map[string][]string{"batch": {`{"id":"{id}","unsupported":true}`}},
			`[{"send": {"id": "b", "call": "batch"}}, {"await": {"id": "b", "event": "accepted"}}]`, errUnsupported.Error(),
		},
		"an optional move": {
			map[string][]string{"batch": {`{"id":"{id}","unsupported":true}`}},
			`[{"send": {"id": "b", "call": "batch"}}, {"await": {"id": "b", "event": "accepted"}, "optional": true}]`, "",
		},
		"an error of a watch in place of a break": {
			map[string][]string{"watch": {`{"id":"{id}","state":"disconnected","error":{"code":"X"}}`}},
			`[` + watch + `, {"await": {"id": "w", "error": {"code": "X"}}}]`, "is a line of another kind: disconnected",
		},
		"a call that it must support": {
			map[string][]string{"get": {`{"id":"{id}","unsupported":true}`}},
			`[{"send": {"call": "get"}, "expect": {"ok": true}}]`, "answers that it does not support get",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := newFakeClient(test.answers)
				defer fake.end()
				s := step{Name: "s"}
				if err := json.Unmarshal([]byte(test.moves), &s.Moves); err != nil {
					t.Fatal(err)
				}
				err := newPlayer(client{Unsupported: []string{"batch"}}, nil, fake, s).play(t.Context())
				if test.wrong == "" && err != nil || test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)) {
					t.Errorf("error %v, want %q", err, test.wrong)
				}
			})
		})
	}
}

func TestPlayerNoticesThatTheClientEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := newFakeClient(nil)
		fake.end()
		s := step{Name: "s", Moves: []move{{Send: message{"call": "get"}, Expect: message{"ok": true}}}}
		player := newPlayer(client{}, nil, fake, s)
		fake.output = io.Discard
		if err := player.play(t.Context()); !errors.Is(err, errClientEnded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestTranscriptReportsLinesThatCannotBeRead(t *testing.T) {
	transcript := newTranscript()
	transcript.read(strings.NewReader("hello\n{\"ok\":true}\n{\"id\":\"a\",\"state\":1}\n{\"id\":\"a\"}\n"))
	broken := transcript.takeBroken()
	if len(broken) != 3 || len(transcript.of("a")) != 1 {
		t.Errorf("broken: %q", broken)
	}
	if again := transcript.takeBroken(); len(again) != 0 {
		t.Errorf("broken again: %q", again)
	}
}
