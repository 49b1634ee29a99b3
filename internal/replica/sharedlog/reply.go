package sharedlog

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// errUnreadable is wrapped by the errors of replies and messages of an unknown form.
var errUnreadable = errors.New("unreadable reply")

// fields are the values of a script's reply or of a message, to be read one after the other.
// After the first value of an unknown form it has an error and returns zero values.
type fields struct {
	values []any
	err    error
}

// newFields reads the reply of a script.
func newFields(reply any) *fields {
	values, ok := reply.([]any)
	if !ok {
		return &fields{err: fmt.Errorf("%w: %T", errUnreadable, reply)}
	}
	return &fields{values: values}
}

// unpack reads a message: each value is its length, a colon and its bytes.
func unpack(message []byte) *fields {
	f := &fields{}
	for len(message) > 0 {
		length, rest, _ := bytes.Cut(message, []byte(":"))
		n, err := strconv.ParseUint(string(length), 10, 32)
		if err != nil || n > uint64(len(rest)) {
			return &fields{err: fmt.Errorf("%w: message of %d bytes", errUnreadable, len(message))}
		}
		f.values = append(f.values, string(rest[:n]))
		message = rest[n:]
	}
	return f
}

// next returns the next value.
func (f *fields) next() any {
	if f.err != nil {
		return nil
	}
	if len(f.values) == 0 {
		f.err = fmt.Errorf("%w: it is too short", errUnreadable)
		return nil
	}
	value := f.values[0]
	f.values = f.values[1:]
	return value
}

func (f *fields) text() string {
	value := f.next()
	text, ok := value.(string)
	if !ok && f.err == nil {
		f.err = fmt.Errorf("%w: %T", errUnreadable, value)
	}
	return text
}

func (f *fields) bytes() []byte { return []byte(f.text()) }

func (f *fields) number() uint64 {
	text := f.text()
	if f.err != nil {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		f.err = fmt.Errorf("%w: number %q", errUnreadable, text)
	}
	return n
}

func (f *fields) time() time.Time { return time.UnixMicro(int64(f.number())).UTC() }

// list returns the next value, which is a list of its own.
func (f *fields) list() *fields {
	value := f.next()
	if f.err != nil {
		return f
	}
	return newFields(value)
}

// head reads an epoch, empty if there is no log, a sequence number and a number of commits.
func (f *fields) head() Head {
	epoch := f.text()
	head := Head{Seq: f.number(), Commits: f.number()}
	if epoch == "" || f.err != nil {
		return Head{}
	}
	decoded, err := hex.DecodeString(epoch)
	if err != nil || len(decoded) != len(head.Epoch) {
		f.err = fmt.Errorf("%w: epoch %q", errUnreadable, epoch)
		return Head{}
	}
	head.Epoch = Epoch(decoded)
	return head
}

// members reads n pairs of id and bytes.
func (f *fields) members(n uint64) map[string][]byte {
	members := map[string][]byte{}
	for ; n > 0 && f.err == nil; n-- {
		id := f.text()
		members[id] = f.bytes()
	}
	return members
}

// rest returns all values that are left.
func (f *fields) rest() []string {
	var rest []string
	for f.err == nil && len(f.values) > 0 {
		rest = append(rest, f.text())
	}
	return rest
}
