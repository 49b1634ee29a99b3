//go:build !unix

package httpio

// tryWrite writes nothing: all writes may wait.
func tryWrite(int, []byte) (written int, err error) { return 0, nil }
