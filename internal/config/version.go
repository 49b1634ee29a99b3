package config

import (
	"cmp"
	"runtime/debug"
)

// version is set by the linker: -X …/internal/config.version=v1.2.3.
var version string

// Revision returns the commit that the program was built from, or the empty string if it is unknown.
func Revision() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return ""
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return ""
}

// Version returns the version that the linker set, else the module's version.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(version, "unknown")
	}
	return cmp.Or(version, info.Main.Version, "unknown")
}
