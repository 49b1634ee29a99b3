package rest

import (
	"errors"
	"io"
	"net/http/httptest"
	"testing"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

func TestStreamSendsOnlyMessages(t *testing.T) {
	s := newStream(t.Context(), httptest.NewRecorder(), ndjson{}, 0)
	if err := s.SendMsg(&v2.WatchParticipantsResponse{}); err == nil || s.w.Started() {
		t.Errorf("SendMsg() = %v, started %t", err, s.w.Started())
	}
	if err := s.RecvMsg(nil); !errors.Is(err, io.EOF) {
		t.Errorf("RecvMsg() = %v", err)
	}
}

func TestStreamSendsNothingAfterTheCall(t *testing.T) {
	recorder := httptest.NewRecorder()
	s := newStream(t.Context(), recorder, ndjson{}, 0)
	s.Stop()
	if err := s.SendMsg(wire.NewMessage(checkpoint())); err == nil || recorder.Body.Len() > 0 {
		t.Errorf("SendMsg() = %v, the body is %q", err, recorder.Body)
	}
}

// slowFormat blocks while it encodes, as the first encoding of a large snapshot may.
type slowFormat struct {
	ndjson

	encoding, encoded chan struct{}
}

func (f slowFormat) message(*wire.Message, time.Duration) ([][]byte, error) {
	close(f.encoding)
	<-f.encoded
	return [][]byte{[]byte("message")}, nil
}

func TestW16_AStreamThatEndsWhileItEncodesSendsNoMore(t *testing.T) {
	form := slowFormat{encoding: make(chan struct{}), encoded: make(chan struct{})}
	recorder := httptest.NewRecorder()
	s, sent := newStream(t.Context(), recorder, form, 0), make(chan error)
	go func() { sent <- s.SendMsg(wire.NewMessage(checkpoint())) }()
	<-form.encoding
	s.Stop() // Stop does not wait for the encoding.
	close(form.encoded)
	if err := <-sent; !errors.Is(err, httpio.ErrStopped) || recorder.Body.Len() > 0 {
		t.Errorf("SendMsg() = %v, %q was written", err, recorder.Body)
	}
}

func checkpoint() *watch.Message {
	return &watch.Message{Token: "t1", Checkpoint: &watch.Checkpoint{PollInterval: time.Second}}
}
