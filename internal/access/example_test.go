package access_test

import (
	"context"
	"fmt"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
)

// A stream ends when its caller loses the right to it.
func ExampleGrant_StreamContext() {
	grant := access.NewGrant(access.Rights{Role: access.Reader, Conferences: []string{"conf_a", "conf_b"}})
	ctx, release := grant.StreamContext(context.Background(), access.Permission{Role: access.Reader, Conference: "conf_a"})
	defer release()

	grant.SetRights(access.Rights{Role: access.Reader, Conferences: []string{"conf_a"}})
	fmt.Println("with conf_a:", ctx.Err())

	grant.SetRights(access.Rights{Role: access.Reader, Conferences: []string{"conf_b"}})
	fmt.Println("without:", apierror.ReasonOf(context.Cause(ctx)))

	// Output:
	// with conf_a: <nil>
	// without: CONFERENCE_NOT_GRANTED
}
