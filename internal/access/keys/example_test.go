package keys_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/apierror"
)

// A caller with a key of the file may list and watch one conference.
func Example() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "keys")

	entry, err := keys.NewEntry("wallboard", "reader", []string{"conf_a"})
	if err != nil {
		panic(err)
	}
	key, err := keys.Add(file, entry)
	if err != nil {
		panic(err)
	}

	authenticator, err := keys.Open(file, slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	caller, err := authenticator.Authenticate(context.Background(), access.Credentials{Authorization: []string{"Bearer " + key}})
	if err != nil {
		panic(err)
	}
	fmt.Println(caller.Name)
	for _, permission := range []access.Permission{
		{Role: access.Reader, Conference: "conf_a"},
		{Role: access.Writer, Conference: "conf_a"},
		{Role: access.Reader, Conference: "conf_b"},
	} {
		if err := caller.Grant.Authorize(permission); err != nil {
			fmt.Println(permission.Role, permission.Conference, apierror.ReasonOf(err))
			continue
		}
		fmt.Println(permission.Role, permission.Conference, "allowed")
	}

	// Output:
	// wallboard
	// reader conf_a allowed
	// writer conf_a ROLE_NOT_GRANTED
	// reader conf_b CONFERENCE_NOT_GRANTED
}
