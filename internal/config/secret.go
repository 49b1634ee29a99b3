package config

import (
	"errors"
	"reflect"

	"github.com/alecthomas/kong"
)

// decodeSecret replaces kong's decoder, whose error for a value that starts with a hyphen
// shows the value.
func decodeSecret(ctx *kong.DecodeContext, target reflect.Value) error {
	token, err := ctx.Scan.PopValue("secret")
	if err != nil {
		return errors.New("needs a value; write --flag=value if it starts with a hyphen")
	}
	target.SetString(token.String())
	return nil
}
