package com.audian.conference.client;

import io.grpc.CallCredentials;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** Sends an API key or a bearer token with every call. */
final class BearerCredentials extends CallCredentials {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final Supplier<String> credential;

  BearerCredentials(Supplier<String> credential) {
    this.credential = credential;
  }

  @Override
  public void applyRequestMetadata(RequestInfo info, Executor executor, MetadataApplier applier) {
    executor.execute(() -> apply(applier));
  }

  private void apply(MetadataApplier applier) {
    Metadata headers = new Metadata();
    try {
      headers.put(AUTHORIZATION, "Bearer " + credential.get());
    } catch (RuntimeException e) {
      applier.fail(
          Status.UNAVAILABLE.withDescription("the credential function failed").withCause(e));
      return;
    }
    applier.apply(headers);
  }
}
