package com.audian.conference.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An error of a call, with the details that the gateway sent. A watch throws it. For an error of a
 * stub call {@link #from(Throwable)}:
 *
 * <pre>{@code
 * try {
 *   stub.addParticipant(request);
 * } catch (StatusRuntimeException e) {
 *   GatewayException error = GatewayException.from(e);
 * }
 * }</pre>
 */
public final class GatewayException extends RuntimeException {
  /** The reason of UNAVAILABLE when a watch got no message for two heartbeat intervals. */
  public static final String SILENT = "SILENT";

  /** The reason of UNAVAILABLE when a watch ended OK before its last message. */
  public static final String STREAM_ENDED = "STREAM_ENDED";

  /** The reason of DATA_LOSS when the roster has another size than the gateway reports. */
  public static final String ROSTER_MISMATCH = "ROSTER_MISMATCH";

  private static final long serialVersionUID = 1L;
  private static final String DOMAIN = "participant-gateway";
  // The range of google.protobuf.Duration.
  private static final long MAX_SECONDS = 315_576_000_000L;

  private final com.google.rpc.Status status;

  private GatewayException(com.google.rpc.Status status, Throwable cause) {
    super(text(status), cause);
    this.status = status;
  }

  /**
   * Returns the typed form of an error of a gRPC call, usually a StatusRuntimeException. An error
   * that contains no gRPC status has the code UNKNOWN.
   */
  public static GatewayException from(Throwable error) {
    if (error instanceof GatewayException typed) {
      return typed;
    }
    com.google.rpc.Status details = StatusProto.fromThrowable(error);
    return new GatewayException(details != null ? details : withoutDetails(error), error);
  }

  /** Returns the typed form of a status in a message, such as the result of a batch entry. */
  public static GatewayException from(com.google.rpc.Status status) {
    return new GatewayException(status, null);
  }

  static GatewayException of(Status.Code code, String reason, String description) {
    return from(
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage(description)
            .addDetails(
                Any.pack(ErrorInfo.newBuilder().setDomain(DOMAIN).setReason(reason).build()))
            .build());
  }

  /** The gRPC code. */
  public Status.Code code() {
    return code(status);
  }

  /** The text for people, without the code and the reason. */
  public String description() {
    return status.getMessage();
  }

  /** The stable reason for programs, from the gateway's table of errors; empty if there is none. */
  public String reason() {
    return errorInfo(status).getReason();
  }

  /** The metadata of the reason, for example {@code upstream_status}. */
  public Map<String, String> metadata() {
    return Map.copyOf(errorInfo(status).getMetadataMap());
  }

  /**
   * Whether a phone rang: {@code no} if surely none did, {@code unknown} if one may be ringing;
   * empty if the error says nothing about it.
   */
  public Optional<String> dialled() {
    return Optional.ofNullable(errorInfo(status).getMetadataMap().get("dialled"));
  }

  /** The invalid fields of the request; empty if the error names none. */
  public List<BadRequest.FieldViolation> fieldViolations() {
    return detail(status, BadRequest.class)
        .map(BadRequest::getFieldViolationsList)
        .orElse(List.of());
  }

  /** How long to wait before the next try; empty if the error does not say. */
  public Optional<Duration> retryDelay() {
    return detail(status, RetryInfo.class)
        .filter(RetryInfo::hasRetryDelay)
        .map(info -> duration(info.getRetryDelay()));
  }

  private static Duration duration(com.google.protobuf.Duration delay) {
    return Duration.ofSeconds(
        Math.max(0, Math.min(MAX_SECONDS, delay.getSeconds())), Math.max(0, delay.getNanos()));
  }

  private static com.google.rpc.Status withoutDetails(Throwable error) {
    Status status = Status.fromThrowable(error);
    String description = status.getDescription();
    return com.google.rpc.Status.newBuilder()
        .setCode(status.getCode().value())
        .setMessage(description != null ? description : "")
        .build();
  }

  private static String text(com.google.rpc.Status status) {
    String reason = errorInfo(status).getReason();
    return code(status)
        + (reason.isEmpty() ? "" : " (" + reason + ")")
        + (status.getMessage().isEmpty() ? "" : ": " + status.getMessage());
  }

  private static Status.Code code(com.google.rpc.Status status) {
    return Status.fromCodeValue(status.getCode()).getCode();
  }

  private static ErrorInfo errorInfo(com.google.rpc.Status status) {
    return detail(status, ErrorInfo.class)
        .filter(info -> info.getDomain().equals(DOMAIN))
        .orElse(ErrorInfo.getDefaultInstance());
  }

  /** Details that cannot be decoded count as missing. */
  private static <T extends Message> Optional<T> detail(
      com.google.rpc.Status status, Class<T> type) {
    for (Any detail : status.getDetailsList()) {
      if (detail.is(type)) {
        try {
          return Optional.of(detail.unpack(type));
        } catch (InvalidProtocolBufferException e) {
          return Optional.empty();
        }
      }
    }
    return Optional.empty();
  }
}
