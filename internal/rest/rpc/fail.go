package rpc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/wire"
)

// failure is an error as connect-go tells it, with all its details; nil of nil.
func failure(err error) error {
	if err == nil {
		return nil
	}
	st := grpcstatus.WithoutLineBreaks(grpcstatus.From(err))
	// The codes of both have the same numbers.
	told := connect.NewError(connect.Code(st.Code()), errors.New(st.Message()))
	for _, one := range st.Proto().GetDetails() {
		if detail, err := connect.NewErrorDetail(one); err == nil {
			told.AddDetail(detail)
		}
	}
	return told //nolint:wrapcheck // It is ours, in the words of the protocol.
}

// unpack reads the request of a call. The fields that cannot be read are for the service
// to name, together with those that break its rules; where nothing can be, the call is
// refused.
func (d *door) unpack(ctx context.Context, method string, sent *packed, request proto.Message) (context.Context, error) {
	fault := sent.into(request)
	if fault == nil {
		return ctx, nil
	}
	if fields, named := fieldsOf(fault); named {
		return requestctx.WithViolations(ctx, fields), nil
	}
	return ctx, d.refuse(ctx, method, request, fault)
}

// fieldsOf are the fields that an error names, unless it is about the whole body.
func fieldsOf(fault error) (fields []apierror.Violation, named bool) {
	known, isOurs := errors.AsType[*apierror.Error](fault)
	if !isOurs || len(known.Violations) == 0 || known.Violations[0].Field == wire.WholeBody {
		return nil, false
	}
	return known.Violations, true
}

// unreadBody refuses a call whose body did not arrive.
func (d *door) unreadBody(method string, request proto.Message) connect.RequestGateFunc {
	return func(ctx context.Context, _ connect.Spec, _ connect.Peer, _ http.Header) (context.Context, error) {
		if fault := bodyFault(ctx); fault != nil {
			return ctx, d.refuse(ctx, method, request, fault)
		}
		return ctx, nil
	}
}

// refuse tells why a request does not reach the service. The caller's fault goes before
// the request's: a stranger learns nothing about requests.
func (d *door) refuse(ctx context.Context, method string, request proto.Message, fault error) error {
	md, _ := metadata.FromIncomingContext(ctx)
	id := first(md.Get("x-request-id"))
	if refusal := d.screen(requestctx.WithRequestID(ctx, id), access.Presented{
		Authorization: md.Get("authorization"), AuthToken: md.Get("x-auth-token"),
	}, request); refusal != nil {
		fault = refusal
	}
	d.report(ctx, method, fault)
	return failure(undialled(request, fault))
}

// report counts and logs a request that does not reach the service.
func (d *door) report(ctx context.Context, method string, fault error) {
	md, _ := metadata.FromIncomingContext(ctx)
	d.refused(apierror.ReasonOf(fault))
	d.logger.LogAttrs(ctx, slog.LevelWarn, "request refused",
		slog.String("method", name(method)),
		slog.String("request_id", first(md.Get("x-request-id"))),
		slog.String("trace_id", requestctx.TraceID(first(md.Get("traceparent")))),
		slog.String("reason", string(apierror.ReasonOf(fault))))
}

// refuseForm answers a request that is none of any protocol here, in Connect's form.
func (d *door) refuseForm(w http.ResponseWriter, r *http.Request, request proto.Message, status int, fault error) {
	d.report(r.Context(), r.URL.Path, fault)
	fixed := &fixedStatus{ResponseWriter: w, status: status}
	_ = d.errors.Write(fixed, r, failure(undialled(request, fault))) // A client that is gone misses nothing.
}

// fixedStatus is an answer whose status does not follow from its error.
type fixedStatus struct {
	http.ResponseWriter

	status int
}

func (f *fixedStatus) WriteHeader(int) { f.ResponseWriter.WriteHeader(f.status) }

// undialled completes an error of an add that never reached the service: nobody was
// dialled (A1).
func undialled(request proto.Message, fault error) error {
	known, isOurs := errors.AsType[*apierror.Error](fault)
	if _, isAdd := request.(*v2.AddParticipantRequest); !isAdd || !isOurs {
		return fault
	}
	told := *known
	told.Dialled = apierror.DialledNo
	return &told
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
