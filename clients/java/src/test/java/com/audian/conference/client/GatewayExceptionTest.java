package com.audian.conference.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Errors with and without details. */
final class GatewayExceptionTest {
  private static final com.google.rpc.Status DETAILED =
      com.google.rpc.Status.newBuilder()
          .setCode(Status.Code.INVALID_ARGUMENT.value())
          .setMessage("invalid request")
          .addDetails(
              Any.pack(
                  ErrorInfo.newBuilder()
                      .setDomain("participant-gateway")
                      .setReason("INVALID_REQUEST")
                      .putMetadata("dialled", "no")
                      .build()))
          .addDetails(
              Any.pack(
                  BadRequest.newBuilder()
                      .addFieldViolations(
                          BadRequest.FieldViolation.newBuilder()
                              .setField("phone_number")
                              .setDescription("too short"))
                      .build()))
          .addDetails(
              Any.pack(
                  RetryInfo.newBuilder()
                      .setRetryDelay(
                          com.google.protobuf.Duration.newBuilder()
                              .setSeconds(1)
                              .setNanos(500_000_000))
                      .build()))
          .build();

  @Test
  void hasTheDetailsOfACall() {
    StatusRuntimeException cause = StatusProto.toStatusRuntimeException(DETAILED);
    GatewayException error = GatewayException.from(cause);

    assertEquals(Status.Code.INVALID_ARGUMENT, error.code());
    assertEquals("INVALID_REQUEST", error.reason());
    assertEquals(Map.of("dialled", "no"), error.metadata());
    assertEquals(Optional.of("no"), error.dialled());
    assertEquals(
        List.of("phone_number"),
        error.fieldViolations().stream().map(BadRequest.FieldViolation::getField).toList());
    assertEquals(Optional.of(Duration.ofMillis(1500)), error.retryDelay());
    assertEquals("INVALID_ARGUMENT (INVALID_REQUEST): invalid request", error.getMessage());
    assertSame(cause, error.getCause());
  }

  @Test
  void hasTheDetailsOfABatchEntry() {
    assertEquals("INVALID_REQUEST", GatewayException.from(DETAILED).reason());
  }

  @Test
  void missingDetailsAreEmpty() {
    GatewayException error =
        GatewayException.from(Status.UNAVAILABLE.withDescription("refused").asRuntimeException());

    assertEquals(Status.Code.UNAVAILABLE, error.code());
    assertEquals("refused", error.description());
    assertEquals("", error.reason());
    assertEquals(Map.of(), error.metadata());
    assertEquals(Optional.empty(), error.dialled());
    assertEquals(List.of(), error.fieldViolations());
    assertEquals(Optional.empty(), error.retryDelay());
  }

  @Test
  void detailsOfOthersAndMalformedOnesAreMissing() {
    ErrorInfo foreign = ErrorInfo.newBuilder().setDomain("proxy").setReason("LIMIT").build();
    GatewayException error =
        GatewayException.from(
            com.google.rpc.Status.newBuilder()
                .setCode(99)
                .addDetails(Any.pack(foreign))
                .addDetails(
                    Any.newBuilder()
                        .setTypeUrl("type.googleapis.com/google.rpc.RetryInfo")
                        .setValue(ByteString.copyFromUtf8("malformed")))
                .build());

    assertEquals(Status.Code.UNKNOWN, error.code());
    assertEquals("", error.reason());
    assertEquals(Optional.empty(), error.retryDelay());
  }
}
