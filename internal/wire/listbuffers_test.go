package wire

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// TestCodec_ListsAtTheSameTime encodes lists of several sizes on several goroutines, and frees them.
// Each has the bytes that proto.Marshal returns.
func TestCodec_ListsAtTheSameTime(t *testing.T) {
	var running sync.WaitGroup
	for _, size := range []int{0, 1, 100, 1000, 1001, 10_000} {
		list := &v2.ListParticipantsResponse{Total: int32(size)}
		for i := range size {
			list.Participants = append(list.Participants, &v2.Participant{Id: fmt.Sprint(size, i), Name: "A participant of a list"})
		}
		want, err := proto.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			for range 20 {
				sent, err := Codec().Marshal(list)
				if err != nil || !bytes.Equal(sent.Materialize(), want) {
					t.Errorf("%d participants: %v, or other bytes than proto.Marshal's", size, err)
					return
				}
				sent.Free()
			}
		})
	}
	running.Wait()
}

func TestCodec_RefusesInvalidUTF8InALargeList(t *testing.T) {
	list := &v2.ListParticipantsResponse{}
	for range 1000 {
		list.Participants = append(list.Participants, &v2.Participant{Name: "A participant of a list"})
	}
	list.NextPageToken = "\xff"
	if _, err := Codec().Marshal(list); err == nil {
		t.Error("no error")
	}
}
