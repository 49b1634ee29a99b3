package config

import (
	"cmp"
	"runtime/debug"
)

// version is set by the linker: -X …/internal/config.version=v1.2.3.
var version string

// Version returns the version that the linker set, else the module's version.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(version, "unknown")
	}
	return cmp.Or(version, info.Main.Version, "unknown")
}
