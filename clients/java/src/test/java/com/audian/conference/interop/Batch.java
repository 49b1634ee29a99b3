package com.audian.conference.interop;

import com.audian.conference.client.GatewayException;
import com.audian.conference.v2.BatchAddParticipantsRequest;
import com.audian.conference.v2.BatchAddParticipantsResponse;
import com.audian.conference.v2.BatchEntry;
import com.audian.conference.v2.BatchResult;
import com.audian.conference.v2.BatchSummary;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;

/** A batch in the background. */
final class Batch implements Background {
  private final Command command;
  private final Session session;
  private final Output output;
  private final Context.CancellableContext context = Context.ROOT.withCancellation();

  Batch(Command command, Session session, Output output) {
    this.command = command;
    this.session = session;
    this.output = output;
  }

  @Override
  public void run() {
    try {
      context.run(this::read);
    } catch (StatusRuntimeException e) {
      if (!context.isCancelled()) {
        throw e;
      }
    } finally {
      context.cancel(null);
    }
  }

  @Override
  public void cancel() {
    context.cancel(null);
  }

  private void read() {
    Iterator<BatchAddParticipantsResponse> events =
        session.client().blockingStub().batchAddParticipants(request());
    while (events.hasNext()) {
      write(events.next());
    }
  }

  private BatchAddParticipantsRequest request() {
    var request =
        BatchAddParticipantsRequest.newBuilder()
            .setConferenceId(command.text("conference"))
            .setRequestId(command.text("request_id"))
            .setResume(command.flag("resume"));
    command.list("entries").stream()
        .map(entry -> entry(new Command(entry.getAsJsonObject())))
        .forEach(request::addEntries);
    return request.build();
  }

  private static BatchEntry entry(Command fields) {
    return BatchEntry.newBuilder()
        .setPhoneNumber(fields.text("phone_number"))
        .setName(fields.text("name"))
        .setRole(fields.role("role"))
        .build();
  }

  private void write(BatchAddParticipantsResponse event) {
    switch (event.getEventCase()) {
      case ACCEPTED -> write("accepted", count(event.getAccepted().getCount()));
      case RESULT -> write("result", result(event.getResult()));
      case SUMMARY -> write("summary", summary(event.getSummary()));
      default -> {}
    }
  }

  private void write(String event, JsonObject fields) {
    fields.addProperty("event", event);
    output.write(command.text("id"), fields);
  }

  private static JsonObject count(int count) {
    return Output.of("count", new JsonPrimitive(count));
  }

  private static JsonObject result(BatchResult result) {
    JsonObject json = new JsonObject();
    json.addProperty("index", result.getIndex());
    if (result.hasError()) {
      json.add("error", Words.error(GatewayException.from(result.getError())));
    } else {
      json.add("participant", Words.participant(result.getParticipant()));
    }
    return json;
  }

  private static JsonObject summary(BatchSummary summary) {
    JsonObject json = new JsonObject();
    json.addProperty("added", summary.getAdded());
    json.addProperty("failed", summary.getFailed());
    json.addProperty("unknown", summary.getUnknown());
    return json;
  }
}
