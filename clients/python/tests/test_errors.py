import pickle
from datetime import timedelta

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from audian_conference import FieldViolation, GatewayError
from audian_conference._connection import bearer
from tests.messages import status


def test_details_become_attributes():
    error = GatewayError.from_status(
        status(
            3,
            "INVALID_REQUEST",
            metadata={"dialled": "no", "upstream_status": "400"},
            fields=[("phone_number", "must be a number")],
            retry=timedelta(seconds=1.5),
        )
    )
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert error.message == "scripted"
    assert error.reason == "INVALID_REQUEST"
    assert error.metadata["upstream_status"] == "400"
    assert error.dialled == "no"
    assert error.field_violations == (FieldViolation("phone_number", "must be a number"),)
    assert error.retry_delay == timedelta(seconds=1.5)
    assert str(error) == "INVALID_ARGUMENT: INVALID_REQUEST: scripted"


def test_absent_details_are_absent():
    error = GatewayError.from_status(status(14))
    assert (error.reason, error.dialled, error.retry_delay) == ("", None, None)
    assert error.field_violations == ()


def test_reason_of_another_domain_is_ignored():
    assert GatewayError.from_status(status(14, "THEIRS", domain="proxy")).reason == ""


def test_unknown_code_is_unknown():
    assert GatewayError.from_status(status(99)).code is grpc.StatusCode.UNKNOWN


def test_details_that_cannot_be_read_are_left_out():
    broken = any_pb2.Any(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff")
    endless = error_details_pb2.RetryInfo()
    endless.retry_delay.seconds = 2**62
    packed = any_pb2.Any()
    packed.Pack(endless)
    error = GatewayError.from_status(status_pb2.Status(code=14, details=[broken, packed]))
    assert (error.reason, error.retry_delay) == ("", None)


def test_negative_retry_delay_is_zero():
    error = GatewayError.from_status(status(14, retry=timedelta(seconds=-3)))
    assert error.retry_delay == timedelta(0)


def test_credential_that_metadata_cannot_carry_is_not_in_the_error():
    with pytest.raises(GatewayError) as raised:
        bearer("secret\n")
    assert "secret" not in str(raised.value)


def test_error_can_be_pickled():
    error = GatewayError.from_status(status(8, "DAILY_LIMIT", retry=timedelta(seconds=2)))
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(copy), vars(copy)) == (str(error), vars(error))
