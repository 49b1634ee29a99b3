"""A gRPC client with stubs that are generated from the running gateway's own protos, and a credential."""

import io
import os
import subprocess
import sys
import tempfile
import urllib.request
import zipfile

import grpc
from google.rpc import error_details_pb2, status_pb2

KEY = "my-api-key"
CHANNEL_OPTIONS = [
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.lb_policy_name", "round_robin"),
]


def generate(base_url, folder):
    """Generates the stubs from /schema/proto.zip. The package googleapis-common-protos has google/rpc."""
    with urllib.request.urlopen(base_url.removesuffix("/v2") + "/schema/proto.zip") as archive:
        zipfile.ZipFile(io.BytesIO(archive.read())).extractall(folder)
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", f"--python_out={folder}"]
    file = "audian/conference/v2/participant_service.proto"
    subprocess.run([*protoc, f"--grpc_python_out={folder}", file], check=True)
    sys.path.insert(0, folder)


def details(error):
    """Returns the details of an error: ErrorInfo, and where there are such, BadRequest and RetryInfo."""
    found = {}
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                add_detail(found, detail)
    return found


def add_detail(found, detail):
    for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo):
        if detail.Is(kind.DESCRIPTOR):
            found[kind.DESCRIPTOR.name] = kind.FromString(detail.value)


def main():
    with tempfile.TemporaryDirectory() as folder:
        generate(os.environ["BASE_URL"], folder)
        from audian.conference.v2 import participant_service_pb2 as pb
        from audian.conference.v2 import participant_service_pb2_grpc as pb_grpc

        with grpc.insecure_channel(os.environ["GRPC_ADDR"], options=CHANNEL_OPTIONS) as channel:
            service = pb_grpc.ParticipantServiceStub(channel)
            use(pb, service)


def use(pb, service):
    metadata = [("authorization", f"Bearer {KEY}")]
    request = pb.ListParticipantsRequest(conference_id="conf_demo")
    listed = service.ListParticipants(request, metadata=metadata, timeout=10)
    assert listed.participants, listed

    try:
        service.AddParticipant(
            pb.AddParticipantRequest(conference_id="conf_demo", phone_number="12"), metadata=metadata, timeout=75
        )
        raise AssertionError("the add was not refused")
    except grpc.RpcError as error:
        found = details(error)
    assert found["ErrorInfo"].metadata["dialled"] == "no", found
    assert [v.field for v in found["BadRequest"].field_violations] == ["phone_number"], found


main()
