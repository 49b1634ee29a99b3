package simulator_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

func TestReadFaults(t *testing.T) {
	faults, err := simulator.ReadFaults(strings.NewReader(`[
		{"kind":"latency","latency":"1.5s","operation":"list","probability":0.5},
		{"kind":"status","status":429,"retry_after":"3","times":2,"skip":1,"body":"vendor","method":"POST","conference_id":"conf_demo"}
	]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []simulator.Fault{
		{Kind: simulator.FaultLatency, Latency: 1500 * time.Millisecond, Operation: simulator.List, Probability: 0.5},
		{Kind: simulator.FaultStatus, Status: 429, RetryAfter: "3", Times: 2, Skip: 1, Body: simulator.VendorBody, Method: "POST", Conference: "conf_demo"},
	}
	for i := range want {
		if faults[i] != want[i] {
			t.Errorf("got %+v, want %+v", faults[i], want[i])
		}
	}
}

func TestReadFaults_Invalid(t *testing.T) {
	tests := map[string]struct{ fault, message string }{
		"no kind":         {`{}`, `kind ""`},
		"unknown kind":    {`{"kind":"flood"}`, `kind "flood"`},
		"unknown field":   {`{"kind":"cut","colour":"red"}`, `unknown field "colour"`},
		"operation":       {`{"kind":"cut","operation":"dance"}`, `operation "dance"`},
		"body":            {`{"kind":"status","status":500,"body":"xml"}`, `body "xml"`},
		"probability":     {`{"kind":"cut","probability":2}`, `probability 2`},
		"times":           {`{"kind":"cut","times":-1}`, `times -1`},
		"skip":            {`{"kind":"cut","skip":-1}`, `skip -1`},
		"no latency":      {`{"kind":"latency"}`, `needs a latency`},
		"latency no unit": {`{"kind":"late","latency":"3"}`, `missing unit`},
		"no status":       {`{"kind":"status"}`, `status 0`},
		"no location":     {`{"kind":"redirect"}`, `needs a location`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := simulator.ReadFaults(strings.NewReader("[" + test.fault + "]"))
			if err == nil || !strings.Contains(err.Error(), test.message) || !strings.HasPrefix(err.Error(), "read faults: ") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFault_JSONRoundTrip(t *testing.T) {
	const text = `{"id":"fault_1","kind":"late","operation":"add","times":1,"latency":"2s"}`
	var fault simulator.Fault
	if err := json.Unmarshal([]byte(text), &fault); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(fault)
	if err != nil || string(encoded) != text {
		t.Errorf("got %s, %v", encoded, err)
	}
}
