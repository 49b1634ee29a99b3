package com.audian.conference.client;

import static com.audian.conference.client.Messages.snapshot;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.audian.conference.v2.GetParticipantRequest;
import com.audian.conference.v2.GetParticipantResponse;
import com.audian.conference.v2.ListParticipantsRequest;
import com.audian.conference.v2.ListParticipantsResponse;
import com.audian.conference.v2.ParticipantServiceGrpc.ParticipantServiceImplBase;
import com.audian.conference.v2.WatchParticipantsRequest;
import com.audian.conference.v2.WatchParticipantsResponse;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The client that the builder makes, over loopback. */
@Timeout(60)
final class NetworkTest {
  private final List<String> credentials = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger lists = new AtomicInteger();
  private Server server = start(0);

  @AfterEach
  void stop() throws InterruptedException {
    server.shutdownNow().awaitTermination();
  }

  @Test
  void credentialIsSentWithEveryCall() {
    AtomicInteger count = new AtomicInteger();
    try (ConferenceClient client =
        builder().credential(() -> "key" + count.incrementAndGet()).build()) {
      client.blockingStub().getParticipant(GetParticipantRequest.getDefaultInstance());
      client.watch("conf_1").states().next();
    }
    assertEquals(List.of("Bearer key1", "Bearer key2"), credentials);
  }

  @Test
  void credentialFunctionThatThrowsMakesTheCallUnavailable() {
    try (ConferenceClient client =
        builder()
            .credential(
                () -> {
                  throw new IllegalStateException("no token");
                })
            .build()) {
      StatusRuntimeException thrown =
          assertThrows(
              StatusRuntimeException.class,
              () ->
                  client.blockingStub().getParticipant(GetParticipantRequest.getDefaultInstance()));
      assertEquals(Status.Code.UNAVAILABLE, GatewayException.from(thrown).code());
    }
  }

  @Test
  void listThatIsUnavailableIsTriedAgain() {
    try (ConferenceClient client = builder().build()) {
      client.blockingStub().listParticipants(ListParticipantsRequest.getDefaultInstance());
    }
    assertEquals(3, lists.get());
  }

  @Test
  void watchOutlivesAServer() throws InterruptedException {
    try (ConferenceClient client = builder().build();
        States states = client.watch("conf_1").states()) {
      assertEquals(State.Kind.SNAPSHOT, states.next().kind());
      int port = server.getPort();
      server.shutdownNow().awaitTermination();
      assertEquals(State.Kind.DISCONNECTED, states.next().kind());
      server = start(port);
      assertEquals(State.Kind.SNAPSHOT, states.next().kind());
    }
  }

  private ConferenceClient.Builder builder() {
    return ConferenceClient.builder("127.0.0.1:" + server.getPort());
  }

  private Server start(int port) {
    try {
      return NettyServerBuilder.forAddress(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
          .addService(ServerInterceptors.intercept(new Service(), new RecordCredentials()))
          .build()
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private final class Service extends ParticipantServiceImplBase {
    @Override
    public void getParticipant(
        GetParticipantRequest request, StreamObserver<GetParticipantResponse> observer) {
      observer.onNext(GetParticipantResponse.getDefaultInstance());
      observer.onCompleted();
    }

    @Override
    public void listParticipants(
        ListParticipantsRequest request, StreamObserver<ListParticipantsResponse> observer) {
      if (lists.incrementAndGet() < 3) {
        observer.onError(Status.UNAVAILABLE.asRuntimeException());
        return;
      }
      observer.onNext(ListParticipantsResponse.getDefaultInstance());
      observer.onCompleted();
    }

    @Override
    public void watchParticipants(
        WatchParticipantsRequest request, StreamObserver<WatchParticipantsResponse> observer) {
      observer.onNext(snapshot("t1", "a").build());
    }
  }

  private final class RecordCredentials implements ServerInterceptor {
    @Override
    public <A, B> ServerCall.Listener<A> interceptCall(
        ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
      String credential =
          headers.get(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER));
      if (credential != null) {
        credentials.add(credential);
      }
      return next.startCall(call, headers);
    }
  }
}
