package main

import (
	"strings"
	"testing"
	"time"
)

func TestDelayIsThatOfTheLastSubscriber(t *testing.T) {
	var d deliveries
	c := &conferenceDeliveries{deliveries: &d, subscribers: 2, received: map[int64]int{}}
	first, second := time.Now().Add(-time.Hour), time.Now().Add(-time.Minute)
	c.message(true, 10, false, first) // Before the start.
	c.message(true, 10, true, time.Time{})
	d.start()
	c.message(false, 10, false, second)
	if delays := d.delays(); len(delays) != 0 {
		t.Fatalf("delays %v before the last subscriber has the message", delays)
	}
	c.message(false, 10, false, second)
	delays := d.delays()
	if len(delays) != 1 || delays[0] < time.Minute || delays[0] > time.Minute+10*time.Second {
		t.Errorf("delays %v, want one of a minute", delays)
	}
	if d.units.Load() != 4 || d.lagged.Load() != 1 || d.connected.Load() != 2 {
		t.Errorf("%d messages, %d lagged, %d connected; want 4, 1 and 2", d.units.Load(), d.lagged.Load(), d.connected.Load())
	}
}

func TestNotAfter(t *testing.T) {
	for message, want := range map[string]string{
		`{"resume_token":"pgw1","checkpoint":{}}`:                                 "0001-01-01T00:00:00Z",
		`{"changes":{"changes":[],"not_after":"2026-02-04T11:15:30.123456789Z"}}`: "2026-02-04T11:15:30.123456789Z",
	} {
		ended, err := notAfter([]byte(message))
		if err != nil || ended.Format(time.RFC3339Nano) != want {
			t.Errorf("%s: list ended at %s (%v), want %s", message, ended, err, want)
		}
	}
	if _, err := notAfter([]byte(`{"not_after":"now"}`)); err == nil || !strings.Contains(err.Error(), "end of a list") {
		t.Errorf("error %v of a wrong time", err)
	}
}
