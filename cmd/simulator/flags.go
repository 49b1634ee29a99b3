package main

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// flags are the simulator's options as a command line.
type flags struct {
	Addr     string     `default:"127.0.0.1:8095" help:"Address to listen on."`
	LogLevel slog.Level `default:"INFO"           help:"DEBUG tells of every request."`

	Demo   bool   `help:"Fill conf_demo with people who come and go; other conferences exist once somebody was added."`
	Faults string `help:"File with a JSON array of faults."                    type:"existingfile"`

	Seed      uint64        `default:"1"     help:"What people do is drawn from it."`
	TimeScale float64       `default:"1"     help:"How many times faster than people the people are."`
	Linger    time.Duration `default:"5s"    help:"How long one who left stays listed."`
	Lag       time.Duration `default:"0s"    help:"How long lists ignore an add or a remove."`

	Behaviour simulator.Behaviour `default:"human" enum:"human,steady,still" help:"How those who are added behave."`

	Token  []string `help:"Token to accept (repeatable); with no token and no key, all are."`
	APIKey []string `name:"api-key" help:"API key to exchange for tokens at PUT /v2/api_auth (repeatable)."`

	TokenTTL time.Duration `name:"token-ttl" default:"1h" help:"How long an exchanged token lives."`

	Conference    []string `help:"Conference that exists from the start (repeatable)."`
	KnownOnly     bool     `help:"Answer 404 for conferences not named by --conference."`
	Envelope      bool     `help:"Wrap answers as the vendor's other pages do."`
	ListAsData    bool     `help:"With --envelope, make a list's data the array itself."`
	PageSize      int      `help:"Participants a page; 0: one page."`
	NewestFirst   bool     `help:"List the newest first."`
	RemoveTwice   bool     `help:"Answer 204, not 404, where nobody is left to remove."`
	RequestTokens int      `help:"Size of the bucket of requests, refilled at 10 a second; 0: none."`

	MaxParticipants int `default:"100" help:"Calls a conference holds."`
	AddsPerSecond   int `default:"10" help:"Adds a second; less than 0: any number."`
}

// Validate refuses what can never work. Kong calls it.
func (f *flags) Validate() error {
	const notNegative = "not be negative"
	_, port, err := net.SplitHostPort(f.Addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	for _, rule := range []struct {
		holds bool
		flag  string
		must  string
		value any
	}{
		{err == nil, "addr", "be host:port", f.Addr},
		{f.TimeScale > 0 && !math.IsInf(f.TimeScale, 0), "time-scale", "be more than 0", f.TimeScale},
		{f.Linger >= 0, "linger", notNegative, f.Linger},
		{f.Lag >= 0, "lag", notNegative, f.Lag},
		{f.TokenTTL > 0, "token-ttl", "be more than 0", f.TokenTTL},
		{f.PageSize >= 0, "page-size", notNegative, f.PageSize},
		{f.RequestTokens >= 0, "request-tokens", notNegative, f.RequestTokens},
		{f.MaxParticipants >= 0, "max-participants", notNegative, f.MaxParticipants},
	} {
		if !rule.holds {
			return fmt.Errorf("--%s must %s but is %v", rule.flag, rule.must, rule.value)
		}
	}
	return nil
}

// options are the simulator that the flags ask for.
func (f *flags) options(logger *slog.Logger) (simulator.Options, error) {
	faults, err := f.faults()
	return simulator.Options{
		Seed: f.Seed, TimeScale: f.TimeScale, Behaviour: f.Behaviour, Demo: f.Demo,
		Tokens: f.Token, APIKeys: f.APIKey, TokenTTL: f.TokenTTL,
		Conferences: f.Conference, KnownOnly: f.KnownOnly, MaxParticipants: f.MaxParticipants,
		Envelope: f.Envelope, ListAsData: f.ListAsData, PageSize: f.PageSize, NewestFirst: f.NewestFirst,
		ListLag: f.Lag, LingerDisconnected: f.Linger, RemoveTwice: f.RemoveTwice,
		AddsPerSecond: f.AddsPerSecond, RequestTokens: f.RequestTokens,
		Faults: faults, Logger: logger,
	}, err
}

func (f *flags) faults() ([]simulator.Fault, error) {
	if f.Faults == "" {
		return nil, nil
	}
	file, err := os.Open(f.Faults)
	if err != nil {
		return nil, fmt.Errorf("--faults: %w", err)
	}
	defer func() { _ = file.Close() }()
	faults, err := simulator.ReadFaults(file)
	if err != nil {
		return nil, fmt.Errorf("--faults: %s: %w", f.Faults, err)
	}
	return faults, nil
}

// greet tells where the simulator is and what to try. It shows no token but its own
// made-up one.
func (f *flags) greet(out io.Writer, addr string) {
	token, conference := "any", "conf_abc123def456"
	if len(f.Token)+len(f.APIKey) > 0 {
		token = "$TOKEN"
	}
	if f.Demo {
		conference = simulator.DemoConference
	}
	_, _ = fmt.Fprintf(out, `The simulated vendor is at http://%[1]s/v2 (backstage: http://%[1]s/_simulator/). Try:

curl -H "X-Auth-Token: %[2]s" http://%[1]s/v2/conferences/%[3]s/participants
curl -H "X-Auth-Token: %[2]s" -d '{"phone_number":"+12025550123","name":"Ada"}' http://%[1]s/v2/conferences/%[3]s/participants
curl -d '{"kind":"status","operation":"list","status":503,"times":3}' http://%[1]s/_simulator/faults
`, addr, token, conference)
}
