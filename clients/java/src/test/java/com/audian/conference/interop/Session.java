package com.audian.conference.interop;

import com.audian.conference.client.ConferenceClient;
import com.audian.conference.client.GatewayException;
import io.grpc.Status;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A client with its credentials. It is closed when neither later commands nor a watch use it. */
final class Session {
  private final List<String> credentials;
  private final AtomicInteger position = new AtomicInteger();
  private final AtomicInteger users = new AtomicInteger(1);
  private final ConferenceClient client;

  Session(Command command) {
    credentials = command.texts("credentials");
    ConferenceClient.Builder builder = ConferenceClient.builder(command.text("target"));
    if (!credentials.isEmpty()) {
      builder.credential(this::credential);
    } else if (!command.text("credential").isEmpty()) {
      builder.credential(command.text("credential"));
    }
    client = builder.build();
  }

  ConferenceClient client() {
    return client;
  }

  /** Takes the next credential after a refusal. */
  void note(GatewayException error) {
    if (error.code() == Status.Code.UNAUTHENTICATED) {
      position.incrementAndGet();
    }
  }

  Session retain() {
    users.incrementAndGet();
    return this;
  }

  void release() {
    if (users.decrementAndGet() == 0) {
      client.close();
    }
  }

  private String credential() {
    return credentials.get(Math.min(position.get(), credentials.size() - 1));
  }
}
