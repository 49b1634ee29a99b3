package wire

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/participant"
)

// vocabulary is the words of one enum: the names of its values, without their
// common prefix and in lower case. The word of UNSPECIFIED is empty.
type vocabulary struct {
	words   map[protoreflect.EnumNumber]string
	numbers map[string]protoreflect.EnumNumber
	// known are the words in the order of the numbers, the empty one left out.
	known []string
}

// vocabularies hold every enum of the service's file by its full name, so that a
// word added to the proto needs no line here.
var vocabularies = readVocabularies(v2.File_audian_conference_v2_participant_service_proto.Enums())

var (
	statuses = vocabularyOf(v2.ParticipantStatus(0).Descriptor())
	roles    = vocabularyOf(v2.ParticipantRole(0).Descriptor())
)

func readVocabularies(enums protoreflect.EnumDescriptors) map[protoreflect.FullName]*vocabulary {
	read := make(map[protoreflect.FullName]*vocabulary, enums.Len())
	for i := range enums.Len() {
		read[enums.Get(i).FullName()] = readVocabulary(enums.Get(i).Values())
	}
	return read
}

func readVocabulary(values protoreflect.EnumValueDescriptors) *vocabulary {
	const unspecified = "UNSPECIFIED"
	prefix := strings.TrimSuffix(string(values.ByNumber(0).Name()), unspecified)
	v := &vocabulary{
		words:   make(map[protoreflect.EnumNumber]string, values.Len()),
		numbers: make(map[string]protoreflect.EnumNumber, values.Len()),
	}
	for i := range values.Len() {
		value := values.Get(i)
		word := ""
		if value.Number() != 0 {
			word = strings.ToLower(strings.TrimPrefix(string(value.Name()), prefix))
			v.known = append(v.known, word)
		}
		v.words[value.Number()] = word
		v.numbers[word] = value.Number()
	}
	return v
}

func vocabularyOf(enum protoreflect.EnumDescriptor) *vocabulary {
	v, found := vocabularies[enum.FullName()]
	if !found {
		panic(fmt.Sprintf("wire: no words for the enum %s", enum.FullName()))
	}
	return v
}

// wordOf is the word of an enum's value; empty where it is unspecified or unknown.
func wordOf(value protoreflect.Enum) string {
	return vocabularyOf(value.Descriptor()).words[value.Number()]
}

// numberOf reads a word, or the name that the proto gives the value.
func numberOf(enum protoreflect.EnumDescriptor, text string) (number protoreflect.EnumNumber, found bool) {
	if number, found = vocabularyOf(enum).numbers[text]; found {
		return number, true
	}
	if value := enum.Values().ByName(protoreflect.Name(text)); value != nil {
		return value.Number(), true
	}
	return 0, false
}

// spoken is one of the upstream's words as the proto holds it: the enum's value, or
// the word itself where the enum does not know it.
type spoken[E ~int32] struct {
	value E
	raw   string
}

// rawField is the raw word as the proto's optional field.
func (s spoken[E]) rawField() *string {
	if s.raw == "" {
		return nil
	}
	return &s.raw
}

func speakStatus(word participant.Status) spoken[v2.ParticipantStatus] {
	if number, known := statuses.numbers[string(word)]; known {
		return spoken[v2.ParticipantStatus]{value: v2.ParticipantStatus(number)}
	}
	return spoken[v2.ParticipantStatus]{raw: valid(string(word))}
}

func speakRole(word participant.Role) spoken[v2.ParticipantRole] {
	if number, known := roles.numbers[string(word)]; known {
		return spoken[v2.ParticipantRole]{value: v2.ParticipantRole(number)}
	}
	return spoken[v2.ParticipantRole]{raw: valid(string(word))}
}

// Role is the upstream's word for a role; empty for UNSPECIFIED.
func Role(role v2.ParticipantRole) participant.Role {
	return participant.Role(roles.words[role.Number()])
}

// Filter is the filter that a request's fields mean.
func Filter(
	wantedStatuses []v2.ParticipantStatus, wantedRoles []v2.ParticipantRole, ids []string,
) participant.Filter {
	inStatuses := make([]participant.Status, len(wantedStatuses))
	for i, status := range wantedStatuses {
		inStatuses[i] = participant.Status(statuses.words[status.Number()])
	}
	inRoles := make([]participant.Role, len(wantedRoles))
	for i, role := range wantedRoles {
		inRoles[i] = Role(role)
	}
	return participant.NewFilter(inStatuses, inRoles, ids)
}
