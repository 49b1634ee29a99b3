package sharedlog

import (
	_ "embed" // The scripts are files.

	"github.com/audian/participant-gateway/internal/replica/redisconn"
)

//go:embed scripts/common.lua
var common string

var (
	//go:embed scripts/tick.lua
	tickSource string
	//go:embed scripts/append.lua
	appendSource string
	//go:embed scripts/load.lua
	loadSource string
	//go:embed scripts/lead.lua
	leadSource string
	//go:embed scripts/keep.lua
	keepSource string
	//go:embed scripts/release.lua
	releaseSource string
)

var (
	tickScript    = redisconn.NewScript("log_tick", common+tickSource)
	appendScript  = redisconn.NewScript("log_append", common+appendSource)
	loadScript    = redisconn.NewScript("log_load", common+loadSource)
	leadScript    = redisconn.NewScript("log_lead", common+leadSource)
	keepScript    = redisconn.NewScript("log_keep", common+keepSource)
	releaseScript = redisconn.NewScript("log_release", common+releaseSource)
)
