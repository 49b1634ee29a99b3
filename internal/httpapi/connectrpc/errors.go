package connectrpc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/httpapi/decode"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
)

// connectError returns an error as connect-go's, with all its details; nil for nil.
func connectError(err error) error {
	if err == nil {
		return nil
	}
	st := grpcstatus.WithoutLineBreaks(grpcstatus.From(err))
	// The codes of both have the same numbers.
	connectErr := connect.NewError(connect.Code(st.Code()), errors.New(st.Message()))
	for _, one := range st.Proto().GetDetails() {
		if detail, err := connect.NewErrorDetail(one); err == nil {
			connectErr.AddDetail(detail)
		}
	}
	return connectErr //nolint:wrapcheck // It is ours, in the form of the protocol.
}

// decode decodes the request of a call. The service itself refuses fields that cannot be
// decoded, together with those that break its rules; decode refuses the call if the whole
// message cannot be decoded.
func (h *handler) decode(ctx context.Context, method string, encoded *encodedRequest, request proto.Message) (context.Context, error) {
	err := encoded.into(request)
	if fields, ok := decode.InvalidFields(err); ok {
		return requestctx.WithViolations(ctx, fields), nil
	}
	return ctx, h.refuse(ctx, method, request, err)
}

// refuseFault returns a hook of connect-go that refuses a request with a fault before it is
// decoded.
func (h *handler) refuseFault(method string, request proto.Message) connect.RequestGateFunc {
	return func(ctx context.Context, _ connect.Spec, _ connect.Peer, _ http.Header) (context.Context, error) {
		if fault := callOf(ctx).fault; fault != nil {
			return ctx, h.refuse(ctx, method, request, fault)
		}
		return ctx, nil
	}
}

// refuse returns the error of a request that does not reach the service.
func (h *handler) refuse(ctx context.Context, method string, request proto.Message, fault error) error {
	r := callOf(ctx).request
	fault = h.Precheck.Refusal(r, request, fault)
	h.Errors.ReportRefusal(r, fault, slog.String("method", path.Base(method)))
	return connectError(completeFault(method, fault))
}

// refuseForm answers a request that uses none of the protocols, in the format of Connect.
func (h *handler) refuseForm(w http.ResponseWriter, r *http.Request, status int, fault error) {
	method := r.URL.Path
	h.Errors.ReportRefusal(r, fault, slog.String("method", path.Base(method)))
	fixed := &fixedStatus{ResponseWriter: w, status: status}
	_ = h.protocol.Write(fixed, r, connectError(completeFault(method, fault))) // The client may have disconnected.
}

// fixedStatus is a response whose status does not follow from its error.
type fixedStatus struct {
	http.ResponseWriter

	status int
}

func (f *fixedStatus) WriteHeader(int) { f.ResponseWriter.WriteHeader(f.status) }

// completeFault completes the error of a call that did not reach the service: no phone was
// dialled (A1).
func completeFault(method string, fault error) error {
	if wire.Dials(method) {
		return httpio.NotDialled(fault)
	}
	return fault
}
