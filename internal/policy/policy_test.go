package policy_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/policy"
)

// refused compares an error with a reason, and requires that nothing was dialled.
func refused(t *testing.T, err error, reason apierror.Reason) *apierror.Error {
	t.Helper()
	e, ok := errors.AsType[*apierror.Error](err)
	if !ok || e.Reason != reason || e.Dialled != apierror.DialledNo {
		t.Fatalf("got %v, want %s with dialled=no", err, reason)
	}
	return e
}

func prefixes(values ...string) policy.Rules { return policy.Rules{Prefixes: values} }

func TestA14_PrefixesCompareWithTheE164Form(t *testing.T) {
	for _, test := range []struct {
		region         string
		everybody, own policy.Rules
		allowed        []string
		refused        []string
	}{
		{allowed: []string{"+12025551234", "+442079460000", "anything", ""}},
		{
			everybody: prefixes("+1", "+44"),
			allowed:   []string{"+12025551234", "+442079460000", "+18005551234", "+44 20 7946 0000", "+1 (202) 555-1234"},
			refused:   []string{"+4915112345678", "+3312345678", "12025551234", "2025551234", "0012025551234", "", "+", "1", "conf"},
		},
		{own: prefixes("+1202"), allowed: []string{"+12025551234"}, refused: []string{"+13035551234", "+120"}},
		// A national number has the prefix of its region, whatever its digits look like.
		{region: "GB", own: prefixes("+44"), allowed: []string{"02079460000", "2079460000", "+442079460000"}, refused: []string{"0012025551234", "+12025551234"}},
		{region: "GB", own: prefixes("+4420"), allowed: []string{"02079460000", "+4402079460000"}, refused: []string{"01614960000"}},
		{region: "US", own: prefixes("+1"), allowed: []string{"2025551234", "12025551234"}, refused: []string{"011442079460000", "+442079460000"}},
		{region: "US", own: prefixes("+44"), allowed: []string{"011442079460000"}, refused: []string{"2025551234", "4420794600"}},
		// The form of these is not certain: the upstream may dial another number.
		{
			region: "US", own: prefixes("+1"),
			refused: []string{
				"1-800-FLOWERS", "tel:+12025551234", "2025551234;phone-context=+1", "+12025551234;ext=9", "+12025551234x9",
				"＋12025551234", "+１2025551234", "+12025551234,442079460000", "sip:+12025551234@example.com", " +12025551234",
			},
		},
		// Both must allow.
		{everybody: prefixes("+1", "+44"), own: prefixes("+44", "+49"), allowed: []string{"+442079460000"}, refused: []string{"+12025551234", "+4915112345678"}},
		{everybody: prefixes("+1"), own: prefixes("+1202"), allowed: []string{"+12025551234"}, refused: []string{"+13035551234"}},
		{everybody: prefixes("+1202"), own: prefixes("+1"), allowed: []string{"+12025551234"}, refused: []string{"+13035551234"}},
		{everybody: prefixes("+1"), own: prefixes("+44"), refused: []string{"+12025551234", "+442079460000"}},
	} {
		caller := policy.New(policy.Options{Everybody: test.everybody, DefaultRegion: test.region}).For("desk", test.own)
		for _, number := range test.allowed {
			if err := caller.CheckNumber(number); err != nil {
				t.Errorf("%+v: %q: %v", test, number, err)
			}
		}
		for _, number := range test.refused {
			if caller.CheckNumber(number) == nil {
				t.Errorf("%+v: %q is allowed", test, number)
				continue
			}
			refused(t, caller.CheckNumber(number), apierror.NumberNotAllowed)
		}
	}
}

func TestA14_WhatAPrefixIs(t *testing.T) {
	for _, valid := range []string{"+1", "+44", "+4420", "+123456789012345"} {
		if err := policy.CheckPrefix(valid); err != nil {
			t.Error(err)
		}
	}
	for _, invalid := range []string{"", "+", "1", "44", "0044", "+0", "+044", "+1 202", "+1-202", "+1*", "+US", "+1234567890123456", "+1\n", "+1,+44", "＋1"} {
		if policy.CheckPrefix(invalid) == nil {
			t.Errorf("%q is a prefix", invalid)
		}
	}
}

// counted counts one add, which must be allowed.
func counted(t *testing.T, caller policy.Caller) (giveBack func()) {
	t.Helper()
	giveBack, err := caller.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return giveBack
}

func TestA14_TheSmallerLimitHoldsForEachCaller(t *testing.T) {
	for _, test := range []struct{ everybody, own, limit int }{{0, 2, 2}, {2, 0, 2}, {2, 3, 2}, {3, 2, 2}, {0, 0, 100}} {
		p := policy.New(policy.Options{Everybody: policy.Rules{AddsPerDay: test.everybody}})
		for _, name := range []string{"desk", "wall"} {
			caller := p.For(name, policy.Rules{AddsPerDay: test.own})
			for range test.limit {
				if err := caller.Check(t.Context()); err != nil {
					t.Fatalf("%+v: %v", test, err)
				}
				counted(t, caller)
			}
			if test.everybody+test.own == 0 {
				continue
			}
			refused(t, caller.Check(t.Context()), apierror.DailyLimit)
			_, err := caller.Count(t.Context())
			refused(t, err, apierror.DailyLimit)
		}
	}
}

// A caller whose limit changes keeps its count.
func TestA14_AnotherLimitKeepsTheCount(t *testing.T) {
	p := policy.New(policy.Options{})
	two, three := p.For("desk", policy.Rules{AddsPerDay: 2}), p.For("desk", policy.Rules{AddsPerDay: 3})
	counted(t, two)
	counted(t, two)
	refused(t, two.Check(t.Context()), apierror.DailyLimit)
	counted(t, three)
	refused(t, three.Check(t.Context()), apierror.DailyLimit)
}

func TestA14_DaysAreUTC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // Its time begins at midnight UTC.
		caller := policy.New(policy.Options{}).For("desk", policy.Rules{AddsPerDay: 1})
		for _, at := range []time.Duration{0, 12 * time.Hour, 24*time.Hour - time.Millisecond} {
			time.Sleep(at)
			giveBack := counted(t, caller)
			rest := time.Until(time.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour))
			if got := refused(t, caller.Check(t.Context()), apierror.DailyLimit).RetryAfter; got != rest {
				t.Errorf("try again after %v, want %v", got, rest)
			}
			time.Sleep(rest - time.Nanosecond)
			refused(t, caller.Check(t.Context()), apierror.DailyLimit)
			time.Sleep(time.Nanosecond)
			counted(t, caller)
			giveBack() // It was counted the day before.
			refused(t, caller.Check(t.Context()), apierror.DailyLimit)
			time.Sleep(24 * time.Hour)
		}
	})
}

// zonedCounter is a counter whose times are of another zone.
type zonedCounter struct {
	now  time.Time
	days *[]string
}

func (c zonedCounter) Now() time.Time { return c.now }
func (c zonedCounter) Count(_ context.Context, _, day string) (int, error) {
	*c.days = append(*c.days, day)
	return 9, nil
}

func (c zonedCounter) Add(_ context.Context, _, day string, _ int) (func(), bool, error) {
	*c.days = append(*c.days, day)
	return nil, false, nil
}

func TestA14_DaysAreUTCInEveryZone(t *testing.T) {
	for _, hours := range []int{-11, -5, 0, 2, 13} {
		var days []string
		now := time.Date(2026, 11, 27, 20, 30, 0, 0, time.UTC).In(time.FixedZone("", hours*3600))
		caller := policy.New(policy.Options{Counter: zonedCounter{now, &days}}).For("desk", policy.Rules{AddsPerDay: 9})
		_, counting := caller.Count(t.Context())
		for _, err := range []error{caller.Check(t.Context()), counting} {
			if got := refused(t, err, apierror.DailyLimit).RetryAfter; got != 3*time.Hour+30*time.Minute {
				t.Errorf("%d hours: try again after %v", hours, got)
			}
		}
		if !slices.Equal(days, []string{"2026-11-27", "2026-11-27"}) {
			t.Errorf("%d hours: counted on %q", hours, days)
		}
	}
}

func TestA14_WhatIsGivenBackIsLeft(t *testing.T) {
	caller := policy.New(policy.Options{}).For("desk", policy.Rules{AddsPerDay: 2})
	for range 5 {
		first := counted(t, caller)
		counted(t, caller)
		refused(t, caller.Check(t.Context()), apierror.DailyLimit)
		first()
		counted(t, caller)()
		counted(t, caller)()
		refuse := counted(t, caller)
		refused(t, caller.Check(t.Context()), apierror.DailyLimit)
		refuse()
		caller = policy.New(policy.Options{}).For("desk", policy.Rules{AddsPerDay: 2})
	}
}

func TestA14_ABatchIsRefusedWholeAndNamesItsEntries(t *testing.T) {
	p := policy.New(policy.Options{Everybody: prefixes("+1")})
	caller := p.For("desk", policy.Rules{AddsPerDay: 5})
	if err := caller.CheckNumbers([]string{"+12025550100", "+12025550101"}); err != nil {
		t.Error(err)
	}
	err := refused(t, caller.CheckNumbers([]string{"+12025550100", "+442079460000", "+12025550101", "2025550102"}), apierror.NumberNotAllowed)
	expectFields(t, err, "entries[1].phone_number", "entries[3].phone_number")

	counted(t, caller)
	if err := caller.CheckEntries(t.Context(), []int{0, 1, 2, 3}); err != nil {
		t.Errorf("4 of 4 left: %v", err)
	}
	err = refused(t, caller.CheckEntries(t.Context(), []int{0, 2, 4, 6, 8, 10}), apierror.DailyLimit)
	expectFields(t, err, "entries[8].phone_number", "entries[10].phone_number")
	if err.RetryAfter <= 0 {
		t.Error("no RetryInfo")
	}
	many := make([]int, 1000)
	for i := range many {
		many[i] = i
	}
	if got := len(refused(t, caller.CheckEntries(t.Context(), many), apierror.DailyLimit).Violations); got != apierror.MaxViolations {
		t.Errorf("%d entries are named", got)
	}
	if got := len(refused(t, caller.CheckNumbers(make([]string, 1000)), apierror.NumberNotAllowed).Violations); got != apierror.MaxViolations {
		t.Errorf("%d entries are named", got)
	}
	if err := p.For("wall", policy.Rules{}).CheckEntries(t.Context(), many); err != nil {
		t.Errorf("no limit: %v", err)
	}
	// The checks have counted nothing.
	for range 4 {
		counted(t, caller)
	}
}

func expectFields(t *testing.T, err *apierror.Error, fields ...string) {
	t.Helper()
	var got []string
	for _, v := range err.Violations {
		got = append(got, v.Field)
	}
	if !slices.Equal(got, fields) {
		t.Errorf("names %q, want %q", got, fields)
	}
}

// awayCounter is a counter in a Redis that is away.
type awayCounter struct{}

var errAway = errors.New("away")

func (awayCounter) Now() time.Time                                     { return time.Now() }
func (awayCounter) Count(context.Context, string, string) (int, error) { return 0, errAway }
func (awayCounter) Add(context.Context, string, string, int) (func(), bool, error) {
	return nil, false, errAway
}

func TestA14_WhileTheCounterIsAwayLimitedCallersAreRefused(t *testing.T) {
	p := policy.New(policy.Options{Counter: awayCounter{}})
	limited := p.For("desk", policy.Rules{AddsPerDay: 9})
	_, counting := limited.Count(t.Context())
	for name, err := range map[string]error{
		"check": limited.Check(t.Context()), "count": counting, "batch": limited.CheckEntries(t.Context(), []int{0}),
	} {
		t.Run(name, func(t *testing.T) {
			if e := refused(t, err, apierror.SharedStateUnavailable); e.RetryAfter <= 0 || !errors.Is(e, errAway) {
				t.Errorf("got %+v", e)
			}
		})
	}
	unlimited := p.For("wall", prefixes("+1"))
	counted(t, unlimited)()
	if err := errors.Join(unlimited.Check(t.Context()), unlimited.CheckEntries(t.Context(), []int{0}), unlimited.CheckNumber("+12025550100")); err != nil {
		t.Errorf("no limit a day: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := limited.Check(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that has ended: %v", err)
	}
}

func TestA14_AtOnceNoMoreThanTheLimit(t *testing.T) {
	const limit, calls = 50, 200
	caller := policy.New(policy.Options{}).For("desk", policy.Rules{AddsPerDay: limit})
	results := make(chan error, calls)
	for range calls {
		go func() {
			_, err := caller.Count(t.Context())
			results <- err
		}()
	}
	allowed := 0
	for range calls {
		if err := <-results; err == nil {
			allowed++
		}
	}
	if allowed != limit {
		t.Errorf("%d adds of %d are counted", allowed, limit)
	}
}

// A caller may dial numbers with the prefixes of everybody and of its own.
func ExampleCaller_CheckNumber() {
	desk := policy.New(policy.Options{Everybody: policy.Rules{Prefixes: []string{"+1", "+44"}}}).For("desk", policy.Rules{})
	for _, number := range []string{"+442079460000", "+4915112345678"} {
		fmt.Println(number, desk.CheckNumber(number) == nil)
	}
	// Output:
	// +442079460000 true
	// +4915112345678 false
}
