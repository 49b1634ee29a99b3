package sharedclaims

import (
	_ "embed"

	"github.com/audian/participant-gateway/internal/replica/redisconn"
)

//go:embed claim.lua
var claimSource string

//go:embed mark.lua
var markSource string

//go:embed settle.lua
var settleSource string

//go:embed restore.lua
var restoreSource string

//go:embed adds.lua
var addsSource string

//go:embed assign.lua
var assignSource string

//go:embed unlock.lua
var unlockSource string

//go:embed keepbatch.lua
var keepBatchSource string

//nolint:gochecknoglobals // A script is constant.
var (
	claimScript   = redisconn.NewScript("claim", claimSource)
	markScript    = redisconn.NewScript("claim_mark", markSource)
	settleScript  = redisconn.NewScript("claim_settle", settleSource)
	restoreScript = redisconn.NewScript("claim_restore", restoreSource)
	addsScript    = redisconn.NewScript("claim_adds", addsSource)
	assignScript  = redisconn.NewScript("claim_assign", assignSource)
	unlockScript  = redisconn.NewScript("claim_unlock", unlockSource)

	keepBatchScript = redisconn.NewScript("claim_batch", keepBatchSource)
)
