package config

import (
	"fmt"
	"strings"
)

// ExitError ends the process before it serves: Code is the exit code, the text is one
// line for standard error. After --help and --version the code is 0 and the text empty.
type ExitError struct {
	Code int
	text string
}

// Error returns the line, which contains no secret.
func (e *ExitError) Error() string { return e.text }

// usageExitCode is the exit code for a wrong configuration.
const usageExitCode = 2

// UsageError returns the exit of a process with wrong arguments.
func UsageError(err error) *ExitError { return usageError("%v", err) }

// oneLine escapes line breaks, which a file name may contain.
var oneLine = strings.NewReplacer("\n", `\n`, "\r", `\r`)

func usageError(format string, args ...any) *ExitError {
	return &ExitError{Code: usageExitCode, text: oneLine.Replace(fmt.Sprintf(format, args...))}
}
