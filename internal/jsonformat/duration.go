// Package jsonformat is what every JSON of the gateway has in common: durations as text, and
// no characters at which line readers would split it.
package jsonformat

import (
	"fmt"
	"strconv"
	"time"
)

// Duration returns a duration in seconds with the fewest decimals that are exact, such
// as "1.5s".
func Duration(length time.Duration) string {
	whole, rest := length/time.Second, length%time.Second
	text := strconv.FormatInt(int64(whole), 10)
	if rest == 0 {
		return text + "s"
	}
	if length < 0 {
		text, rest = "-"+strconv.FormatInt(-int64(whole), 10), -rest
	}
	decimals := fmt.Sprintf("%09d", rest)
	for decimals[len(decimals)-1] == '0' {
		decimals = decimals[:len(decimals)-1]
	}
	return text + "." + decimals + "s"
}
