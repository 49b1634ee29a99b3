package config

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// The linker sets what the program was built from: -X …/internal/config.version=v1.2.3, commit with the commit's hash, date with
// its time (RFC 3339). A build without them, such as that of `go install`, has what Go recorded.
var version, commit, date string

// Version returns the version of the program, or "unknown".
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(version, "unknown")
	}
	return cmp.Or(version, info.Main.Version, "unknown")
}

// Commit returns the hash of the commit that the program was built from, or "unknown".
func Commit() string { return cmp.Or(commit, buildSetting("vcs.revision"), "unknown") }

// Date returns the time of the commit that the program was built from, in RFC 3339, or "unknown".
func Date() string { return cmp.Or(date, buildSetting("vcs.time"), "unknown") }

// versionLine is the output of --version.
func versionLine() string {
	return fmt.Sprintf("participant-gateway %s (commit %s, %s, %s %s/%s)\n",
		Version(), Commit(), Date(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// buildSetting returns what Go recorded about the build, or "".
func buildSetting(key string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == key {
			return setting.Value
		}
	}
	return ""
}
