package protosource_test

import (
	"strings"
	"testing"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/tools/internal/protosource"
)

func TestComments(t *testing.T) {
	file, err := protosource.Read(t.Context(), "../../../proto")
	if err != nil {
		t.Fatal(err)
	}
	comments := protosource.CommentsOf(file)
	message := protosource.Linked.Messages().ByName("Participant")
	for what, pair := range map[string][2]string{
		"head":    {comments.Head(), "The participants of Audian telephone conferences: add one, remove one, list them, mute, hold or disconnect one, and watch their changes.\n\n"},
		"message": {comments.Of(message), "Participant is one person in a conference"},
		"field":   {comments.Of(message.Fields().ByName("muted")), "Whether the participant is muted."},
		"value":   {comments.Of(v2.ParticipantRole(0).Descriptor().Values().ByNumber(2)), "Only listens"},
		"method":  {comments.Of(protosource.Linked.Services().Get(0).Methods().Get(0)), "AddParticipant dials a phone number"},
	} {
		if !strings.HasPrefix(pair[0], pair[1]) {
			t.Errorf("the comment of the %s is %q, want it to begin with %q", what, pair[0], pair[1])
		}
	}
	if got := comments.Of(message.Fields().ByName("joined_at").Message()); got != "" {
		t.Errorf("an imported message has the comment %q", got)
	}
}

func TestRead_MissingSource(t *testing.T) {
	if _, err := protosource.Read(t.Context(), t.TempDir()); err == nil {
		t.Error("no error for a folder without the proto")
	}
}
