package write

import "context"

// checkLimit fails if the day's limit is reached. It keeps adds that cannot be sent out of the
// account's queue.
func (op *addOperation) checkLimit(ctx context.Context) error {
	if op.limit == nil {
		return nil
	}
	return op.limit.Check(ctx)
}

// count counts the request that is sent next.
func (op *addOperation) count(ctx context.Context) (giveBack func(), err error) {
	if op.limit == nil {
		return func() {}, nil
	}
	return op.limit.Count(ctx)
}
