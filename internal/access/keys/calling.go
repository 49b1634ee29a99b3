package keys

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/audian/participant-gateway/internal/policy"
)

// The options of a line: the caller's calling policy (A14).
const (
	allowPrefix = "allow-prefix"
	addsPerDay  = "adds-per-day"
)

// WithCalling returns the entry with a calling policy. No prefix means all, and no limit (nil) any
// number of adds.
func (e Entry) WithCalling(prefixes []string, limit *int) (Entry, error) {
	for _, prefix := range prefixes {
		if err := policy.CheckPrefix(prefix); err != nil {
			return Entry{}, err
		}
	}
	if len(prefixes) > 0 {
		e.Rights.Calling.Prefixes = prefixes
	}
	if limit == nil {
		return e, nil
	}
	e.Rights.Calling.AddsPerDay = *limit
	return e, policy.CheckAddsPerDay(*limit)
}

// optionName is the form of names that an error may show. Other text may be a key that someone put
// there.
var optionName = regexp.MustCompile(`^[a-z][a-z-]{0,31}$`)

// parseCalling parses the options of a line. Its errors show no value.
func parseCalling(options []string) (policy.Rules, error) {
	var rules policy.Rules
	seen := map[string]bool{}
	for _, option := range options {
		name, value, _ := strings.Cut(option, "=")
		if err := parseOption(&rules, name, value); err != nil {
			return policy.Rules{}, err
		}
		if seen[name] {
			return policy.Rules{}, fmt.Errorf("%s is in the line twice", name)
		}
		seen[name] = true
	}
	return rules, nil
}

func parseOption(rules *policy.Rules, name, value string) (err error) {
	switch name {
	case allowPrefix:
		rules.Prefixes = strings.Split(value, ",")
		for _, prefix := range rules.Prefixes {
			err = errors.Join(err, policy.CheckPrefix(prefix))
		}
	case addsPerDay:
		if rules.AddsPerDay, err = strconv.Atoi(value); err == nil {
			err = policy.CheckAddsPerDay(rules.AddsPerDay)
		}
	default:
		if optionName.MatchString(name) {
			return fmt.Errorf("the field %s is unknown to this version", name)
		}
		return errors.New("a field after the hash is unknown to this version")
	}
	if err != nil {
		return fmt.Errorf("the value of %s is invalid", name)
	}
	return nil
}

func formatCalling(rules policy.Rules) (options []string) {
	if len(rules.Prefixes) > 0 {
		options = append(options, allowPrefix+"="+strings.Join(rules.Prefixes, ","))
	}
	if rules.AddsPerDay > 0 {
		options = append(options, addsPerDay+"="+strconv.Itoa(rules.AddsPerDay))
	}
	return options
}
