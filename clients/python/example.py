"""Watches a conference and prints what changes.

Usage: example.py [CONFERENCE] [ADDRESS]. GATEWAY_ADDR and GATEWAY_KEY are the defaults of the
address and the credential.
"""

import os
import sys

from audian_conference import Client, GatewayError, Kind, pb

conference = sys.argv[1] if len(sys.argv) > 1 else "conf_demo"
target = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("GATEWAY_ADDR", "127.0.0.1:9090")


def show(participant: pb.Participant) -> str:
    """Returns a participant's name and status."""
    return f"{participant.name or participant.id} {pb.ParticipantStatus.Name(participant.status)}"


try:
    with Client(target, credential=os.environ.get("GATEWAY_KEY")) as client:
        for state in client.watch(conference):
            if state.kind is Kind.SNAPSHOT:
                for participant in state.roster.values():
                    print("=", show(participant))
            for change in state.changes:
                print(pb.ChangeKind.Name(change.kind), show(change.participant))
            if not state.fresh:
                print("may be out of date:", state.stale_reason, state.error or "")
except GatewayError as error:
    sys.exit(f"failed: {error}")
except KeyboardInterrupt:
    pass
