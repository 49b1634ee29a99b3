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

// Revision returns the hash of the commit that the program was built from, or the empty string if it is unknown.
func Revision() string { return cmp.Or(commit, buildSetting("vcs.revision")) }

// Date returns the time of the commit that the program was built from, in RFC 3339, or the empty string if it is unknown.
func Date() string { return cmp.Or(date, buildSetting("vcs.time")) }

// versionLine is the output of --version.
func versionLine() string {
	return fmt.Sprintf("participant-gateway %s (commit %s, %s, %s %s/%s)\n",
		Version(), cmp.Or(Revision(), "unknown"), cmp.Or(Date(), "unknown"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
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
