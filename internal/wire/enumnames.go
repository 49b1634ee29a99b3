package wire

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/participant"
	_ "github.com/audian/participant-gateway/internal/protooptions" // Package variables read the descriptors.
)

// enumNames maps the values of one enum to their names in JSON, which are the upstream's:
// the proto's names without the common prefix, in lower case. That of UNSPECIFIED is empty.
type enumNames struct {
	names   map[protoreflect.EnumNumber]string
	numbers map[string]protoreflect.EnumNumber
	// list contains the names in the order of their numbers, without the empty one.
	list []string
}

// enums contains every enum of the service's file by its full name.
var enums = allEnumNames(v2.File_audian_conference_v2_participant_service_proto.Enums())

var (
	statuses = namesOf(v2.ParticipantStatus(0).Descriptor())
	roles    = namesOf(v2.ParticipantRole(0).Descriptor())
)

func allEnumNames(descriptors protoreflect.EnumDescriptors) map[protoreflect.FullName]*enumNames {
	all := make(map[protoreflect.FullName]*enumNames, descriptors.Len())
	for i := range descriptors.Len() {
		all[descriptors.Get(i).FullName()] = newEnumNames(descriptors.Get(i).Values())
	}
	return all
}

func newEnumNames(values protoreflect.EnumValueDescriptors) *enumNames {
	const unspecified = "UNSPECIFIED"
	prefix := strings.TrimSuffix(string(values.ByNumber(0).Name()), unspecified)
	e := &enumNames{
		names:   make(map[protoreflect.EnumNumber]string, values.Len()),
		numbers: make(map[string]protoreflect.EnumNumber, values.Len()),
	}
	for i := range values.Len() {
		value := values.Get(i)
		name := ""
		if value.Number() != 0 {
			name = strings.ToLower(strings.TrimPrefix(string(value.Name()), prefix))
			e.list = append(e.list, name)
		}
		e.names[value.Number()] = name
		e.numbers[name] = value.Number()
	}
	return e
}

func namesOf(enum protoreflect.EnumDescriptor) *enumNames {
	e, found := enums[enum.FullName()]
	if !found {
		panic(fmt.Sprintf("wire: no names for the enum %s", enum.FullName()))
	}
	return e
}

// EnumNames returns the JSON names of an enum of the service's proto.
func EnumNames(enum protoreflect.EnumDescriptor) []string { return namesOf(enum).list }

// enumName returns the JSON name of an enum's value; empty if it is unspecified or unknown.
func enumName(value protoreflect.Enum) string {
	return namesOf(value.Descriptor()).names[value.Number()]
}

// EnumNumber returns the value with a JSON name, or with a name in the proto.
func EnumNumber(enum protoreflect.EnumDescriptor, name string) (number protoreflect.EnumNumber, found bool) {
	if number, found = namesOf(enum).numbers[name]; found {
		return number, true
	}
	if value := enum.Values().ByName(protoreflect.Name(name)); value != nil {
		return value.Number(), true
	}
	return 0, false
}

// enumOrRaw is an upstream's status or role in the proto: the enum's value, or the raw
// text if the enum does not contain it.
type enumOrRaw[E ~int32] struct {
	value E
	raw   string
}

// rawField returns the raw text for the proto's optional field.
func (e enumOrRaw[E]) rawField() *string {
	if e.raw == "" {
		return nil
	}
	raw := e.raw // The pointer to e's field would allocate e for each known value too.
	return &raw
}

func statusToProto(status participant.Status) enumOrRaw[v2.ParticipantStatus] {
	if number, known := statuses.numbers[string(status)]; known {
		return enumOrRaw[v2.ParticipantStatus]{value: v2.ParticipantStatus(number)}
	}
	return enumOrRaw[v2.ParticipantStatus]{raw: valid(string(status))}
}

func roleToProto(role participant.Role) enumOrRaw[v2.ParticipantRole] {
	if number, known := roles.numbers[string(role)]; known {
		return enumOrRaw[v2.ParticipantRole]{value: v2.ParticipantRole(number)}
	}
	return enumOrRaw[v2.ParticipantRole]{raw: valid(string(role))}
}

// Role returns the upstream's name of a role; empty for UNSPECIFIED.
func Role(role v2.ParticipantRole) participant.Role {
	return participant.Role(roles.names[role.Number()])
}

// Filter returns the filter of a request's fields.
func Filter(
	wantedStatuses []v2.ParticipantStatus, wantedRoles []v2.ParticipantRole, ids []string,
) participant.Filter {
	inStatuses := make([]participant.Status, len(wantedStatuses))
	for i, status := range wantedStatuses {
		inStatuses[i] = participant.Status(statuses.names[status.Number()])
	}
	inRoles := make([]participant.Role, len(wantedRoles))
	for i, role := range wantedRoles {
		inRoles[i] = Role(role)
	}
	return participant.NewFilter(inStatuses, inRoles, ids)
}
