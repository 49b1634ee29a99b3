package main

import (
	"maps"
	"slices"
	"strings"
)

// resolve returns a copy of a value in which each text like $add.participant.id is replaced by that
// field of the line that a move awaited for the id add. Names of members are replaced too.
func (p *player) resolve(value any) any {
	switch v := value.(type) {
	case string:
		return p.variable(v)
	case message:
		resolved := message{}
		for name, member := range v {
			if text, ok := p.variable(name).(string); ok {
				name = text
			}
			resolved[name] = p.resolve(member)
		}
		return resolved
	case []any:
		resolved := make([]any, len(v))
		for i, member := range v {
			resolved[i] = p.resolve(member)
		}
		return resolved
	default:
		return value
	}
}

// variable returns the value of a variable, or the text itself if it is none.
func (p *player) variable(text string) any {
	path, ok := strings.CutPrefix(text, "$")
	if !ok {
		return text
	}
	names := strings.Split(path, ".")
	var value any = p.awaited[names[0]]
	for _, name := range names[1:] {
		object, ok := value.(message)
		if !ok {
			return text
		}
		value = object[name]
	}
	return value
}

// resolveUpstream replaces the variables in a change of the upstream.
func (p *player) resolveUpstream(m *upstreamMove) *upstreamMove {
	resolved := *m
	resolved.Leave = slices.Clone(m.Leave)
	for i, id := range resolved.Leave {
		resolved.Leave[i], _ = p.variable(id).(string)
	}
	resolved.Status = map[string]string{}
	for id, word := range maps.All(m.Status) {
		if text, ok := p.variable(id).(string); ok {
			id = text
		}
		resolved.Status[id] = word
	}
	return &resolved
}
