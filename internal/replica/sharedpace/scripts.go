package sharedpace

import (
	_ "embed"

	"github.com/audian/participant-gateway/internal/replica/redisconn"
)

var (
	//go:embed scripts/adds.lua
	addsSource string
	//go:embed scripts/polls.lua
	pollsSource string
	//go:embed scripts/limit.lua
	limitSource string
	//go:embed scripts/demand.lua
	demandSource string
	//go:embed scripts/key.lua
	keySource string
)

//nolint:gochecknoglobals // Scripts are constant.
var (
	addsScript   = redisconn.NewScript("pace_adds", addsSource)
	pollsScript  = redisconn.NewScript("pace_polls", pollsSource)
	limitScript  = redisconn.NewScript("pace_limit", limitSource)
	demandScript = redisconn.NewScript("pace_demand", demandSource)
	keyScript    = redisconn.NewScript("pace_key", keySource)
)
