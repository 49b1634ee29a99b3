package config

import (
	"fmt"
	"strings"
)

// ExitError ends the process before it began: Code is the exit code, and the text
// one line for standard error. A call of --help or --version ends with code 0 and
// no text.
type ExitError struct {
	Code int
	text string
}

// Error is the line; it holds no secret.
func (e *ExitError) Error() string { return e.text }

// misuse is the exit code of a wrong configuration.
const misuse = 2

// Misuse is the end of a process whose arguments were wrong.
func Misuse(err error) *ExitError { return wrong("%v", err) }

// oneLine keeps a file's name, say, from making two lines of one.
var oneLine = strings.NewReplacer("\n", `\n`, "\r", `\r`)

func wrong(format string, args ...any) *ExitError {
	return &ExitError{Code: misuse, text: oneLine.Replace(fmt.Sprintf(format, args...))}
}
