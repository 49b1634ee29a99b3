package main

import (
	"slices"
	"strings"
	"testing"
)

func TestScenarioIsValid(t *testing.T) {
	steps, err := readScenario(scenarioFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		for i, m := range s.Moves {
			if id, ok := m.Await["id"].(string); ok && !sends(s.Moves[:i], id) {
				t.Errorf("step %s awaits a line of %s before a command with this id", s.Name, id)
			}
		}
	}
	for _, c := range clients {
		for name := range c.Without {
			if !slices.ContainsFunc(steps, func(s step) bool { return s.Name == name }) {
				t.Errorf("%s is without the step %s, which does not exist", c.Name, name)
			}
		}
	}
}

func sends(moves []move, id string) bool {
	return slices.ContainsFunc(moves, func(m move) bool { return m.Send["id"] == id })
}

func TestReadScenarioRefuses(t *testing.T) {
	for wrong, text := range map[string]string{
		"unknown object member name":      `{"steps": [{"name": "a", "shows": "b", "move": []}]}`,
		"needs a name of one word":        `{"steps": [{"name": "a b", "shows": "c", "moves": [{"settle": true}]}]}`,
		"move 1 has 0 actions":            `{"steps": [{"name": "a", "shows": "b", "moves": [{"note": "c"}]}]}`,
		"move 1 has 2 actions":            `{"steps": [{"name": "a", "shows": "b", "moves": [{"settle": true, "network": "cut"}]}]}`,
		"expects an answer to no command": `{"steps": [{"name": "a", "shows": "b", "moves": [{"settle": true, "expect": {}}]}]}`,
		`two steps "a"`:                   `{"steps": [{"name": "a", "shows": "b", "moves": [{"settle": true}]}, {"name": "a", "shows": "b", "moves": [{"settle": true}]}]}`,
	} {
		if _, err := readScenario([]byte(text)); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("error %v, want %q", err, wrong)
		}
	}
}

func TestSelect(t *testing.T) {
	steps := []step{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	selected, err := selectSteps(steps, names("c,a"))
	if err != nil || len(selected) != 2 || selected[0].Name != "a" {
		t.Errorf("selected %v, %v", selected, err)
	}
	if _, err := selectSteps(steps, []string{"d"}); err == nil {
		t.Error("selected a step that does not exist")
	}
	if all, err := selectClients(nil); err != nil || len(all) != len(clients) {
		t.Errorf("selected %d clients, %v", len(all), err)
	}
	if _, err := selectClients([]string{"cobol"}); err == nil {
		t.Error("selected a client that does not exist")
	}
}
