package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// match compares a value with what a step expects, and returns the differences. Of an object only the
// expected members are compared, but rosters and lists are compared whole. An absent value, null and
// the zero value of the expected type are the same. "*" is any text that is not empty, {"min": n} any
// number of at least n, {"one_of": […]} one of these values, and {"set": […]} these values in any order.
func match(path string, expected, got any) []string {
	switch want := expected.(type) {
	case nil:
		return differ(got == nil, path, "nothing", got)
	case message:
		return matchObject(path, want, got)
	case []any:
		return matchList(path, want, got)
	case string:
		text, _ := got.(string)
		return differ(want == text || want == "*" && text != "", path, strconv.Quote(want), got)
	case float64:
		number, _ := got.(float64)
		return differ(number == want, path, fmt.Sprint(want), got)
	case bool:
		truth, _ := got.(bool)
		return differ(truth == want, path, strconv.FormatBool(want), got)
	default:
		return []string{fmt.Sprintf("%s: cannot expect a %T", path, expected)}
	}
}

func differ(equal bool, path, want string, got any) []string {
	if equal {
		return nil
	}
	return []string{fmt.Sprintf("%s is %s, expected %s", path, show(got), want)}
}

func matchObject(path string, want message, got any) []string {
	if least, ok := want["min"].(float64); ok {
		number, is := got.(float64)
		return differ(is && number >= least, path, fmt.Sprintf("at least %v", least), got)
	}
	if values, ok := want["one_of"].([]any); ok {
		for _, value := range values {
			if len(match(path, value, got)) == 0 {
				return nil
			}
		}
		return []string{fmt.Sprintf("%s is %s, expected one of %s", path, show(got), show(values))}
	}
	if values, ok := want["set"].([]any); ok {
		list, _ := got.([]any)
		return differ(slices.Equal(sortedTexts(values), sortedTexts(list)), path, show(values), got)
	}
	object, ok := got.(message)
	if !ok && (got != nil || len(want) > 0) {
		return []string{fmt.Sprintf("%s is %s, expected an object", path, show(got))}
	}
	return matchMembers(path, want, object)
}

func matchMembers(path string, want, got message) []string {
	var found []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		found = append(found, match(strings.TrimPrefix(path+"."+name, "."), want[name], got[name])...)
	}
	if strings.HasSuffix(path, "roster") {
		for _, name := range slices.Sorted(maps.Keys(got)) {
			if _, known := want[name]; !known {
				found = append(found, fmt.Sprintf("%s has %s, which is not expected", path, name))
			}
		}
	}
	return found
}

func matchList(path string, want []any, got any) []string {
	list, ok := got.([]any)
	if !ok && got != nil || len(list) != len(want) {
		return []string{fmt.Sprintf("%s is %s, expected %d values", path, show(got), len(want))}
	}
	var found []string
	for i := range want {
		found = append(found, match(fmt.Sprintf("%s[%d]", path, i), want[i], list[i])...)
	}
	return found
}

func sortedTexts(values []any) []string {
	texts := make([]string, 0, len(values))
	for _, value := range values {
		texts = append(texts, show(value))
	}
	slices.Sort(texts)
	return texts
}
