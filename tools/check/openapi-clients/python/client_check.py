"""Uses the Python client that OpenAPI Generator makes: a list, an add, a get, a mute, a refresh, and a refused add."""

import sys

from openapi_client import ApiClient, Configuration
from openapi_client.api.participants_api import ParticipantsApi
from openapi_client.exceptions import BadRequestException
from openapi_client.models import AddParticipantRequest, ParticipantRole

CONFERENCE = "conf_demo"

with ApiClient(Configuration(host=sys.argv[1])) as client:
    api = ParticipantsApi(client)

    listed = api.list_participants(CONFERENCE)
    assert listed.participants and listed.total == len(listed.participants), listed
    assert listed.participants[0].status, listed

    request = AddParticipantRequest(phone_number="+12025550199", name="Ada", role=ParticipantRole.LISTENER)
    added = api.add_participant(CONFERENCE, request)
    assert added.id and added.phone_number == "+12025550199" and added.role == "listener", added

    assert api.get_participant(CONFERENCE, added.id).id == added.id
    assert api.mute_participant(CONFERENCE, added.id).muted
    api.refresh_participants(CONFERENCE)

    try:
        api.add_participant(CONFERENCE, AddParticipantRequest(phone_number="abc"))
        fields = []
    except BadRequestException as refused:
        error = refused.data.error
        assert error.status == "INVALID_ARGUMENT", error
        fields = [violation.var_field for detail in error.details for violation in detail.field_violations or []]
    assert fields == ["phone_number"], fields

print(f"{listed.total} listed, {added.id} added, {fields[0]} refused")
