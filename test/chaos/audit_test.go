package main

import (
	"testing"

	"github.com/audian/participant-gateway/internal/simulator"
)

func TestA01_AnswersAreComparedWithDials(t *testing.T) {
	dialled := simulator.Dial{Participant: "p1"}
	for name, test := range map[string]struct {
		answers []answer
		dials   []simulator.Dial
		rule    string
	}{
		"added":                        {[]answer{{id: "p1"}}, []simulator.Dial{dialled}, ""},
		"added, and answered again":    {[]answer{{id: "p1"}, {id: "p1"}}, []simulator.Dial{dialled}, ""},
		"twice":                        {[]answer{{id: "p1"}}, []simulator.Dial{dialled, {Participant: "p2"}}, dialledTwice},
		"added without a dial":         {[]answer{{id: "p1"}}, nil, changesInvented},
		"added as another participant": {[]answer{{id: "p2"}}, []simulator.Dial{dialled}, changesInvented},
		"refused":                      {[]answer{{dialled: "no"}}, nil, ""},
		"refused, and dialled":         {[]answer{{dialled: "no"}}, []simulator.Dial{dialled}, falseDialledNo},
		"refused, and later added":     {[]answer{{dialled: "no"}, {id: "p1"}}, []simulator.Dial{dialled}, ""},
		"unknown, and dialled":         {[]answer{{dialled: "unknown"}}, []simulator.Dial{dialled}, ""},
		"unknown, and not dialled":     {[]answer{{dialled: "unknown"}}, nil, ""},
		"the gateway had ended":        {[]answer{{}}, []simulator.Dial{dialled}, ""},
		"never sent":                   {nil, nil, ""},
	} {
		w := newTestHarness()
		a := &add{answers: test.answers}
		for _, broken := range a.audit(test.dials) {
			w.results.violatef(broken.rule, "%s", broken.what)
		}
		expect(t, name, w.results, test.rule)
	}
}

func TestW08_OnlyStatesThatExistedPass(t *testing.T) {
	w := newTestHarness()
	w.visitors.record(visitor(1))
	dialled := map[string]simulator.Dial{"part_1": {PhoneNumber: "+12025550007"}}
	for name, test := range map[string]struct {
		state identity
		real  bool
	}{
		"a visitor":               {identity{"visitor_1", "+12025560001", "Visitor 1", "connected"}, true},
		"never so":                {identity{"visitor_1", "+12025560001", "Visitor 1", "held"}, false},
		"never there":             {identity{"visitor_2", "+12025560002", "Visitor 2", "connected"}, false},
		"a dialled participant":   {identity{"part_1", "+12025550007", "Caller 0007", "dialing"}, true},
		"another caller's number": {identity{"part_1", "+12025550008", "Caller 0008", "dialing"}, false},
		"another caller's name":   {identity{"part_1", "+12025550007", "Visitor 1", "dialing"}, false},
		"dialled, and not held":   {identity{"part_1", "+12025550007", "Caller 0007", "held"}, false},
	} {
		if got := w.visitors.existed(dialled, test.state); got != test.real {
			t.Errorf("%s: real is %t", name, got)
		}
	}
}
