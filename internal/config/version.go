package config

import (
	"cmp"
	"runtime/debug"
)

// version is set by the linker: -X …/internal/config.version=v1.2.3.
var version string

// Version is what this binary was built from: what the build was told, else what
// Go knows of its module.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(version, "unknown")
	}
	return cmp.Or(version, info.Main.Version, "unknown")
}
