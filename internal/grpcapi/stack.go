package grpcapi

// unaryStack is more stack than most unary calls need.
const unaryStack = 16 << 10

// growStack grows the stack of a call's new goroutine at once. It would otherwise grow in several
// steps, each of which copies and adjusts all frames that there are by then. Only the size of
// growStack's own frame matters: with a negative index, it does nothing.
//
//go:noinline
func growStack(index int) byte {
	if index < 0 {
		return 0
	}
	var frame [unaryStack]byte
	return frame[index]
}
