package com.audian.conference.interop;

import com.audian.conference.client.GatewayException;
import com.audian.conference.client.State;
import com.audian.conference.v2.Participant;
import com.audian.conference.v2.ParticipantChange;
import com.audian.conference.v2.ParticipantRole;
import com.audian.conference.v2.ParticipantStatus;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.rpc.BadRequest.FieldViolation;
import java.util.Locale;

/** The JSON form of what the client returns, with the words of the REST API. */
final class Words {
  private static final String STATUS = "PARTICIPANT_STATUS_";
  private static final String ROLE = "PARTICIPANT_ROLE_";

  private Words() {}

  static ParticipantStatus status(String word) {
    return ParticipantStatus.valueOf(STATUS + word.toUpperCase(Locale.ROOT));
  }

  static ParticipantRole role(String word) {
    return ParticipantRole.valueOf(ROLE + word.toUpperCase(Locale.ROOT));
  }

  /** Returns the word of an enum value, for example CHANGE_KIND_ADDED is added. */
  static String word(String prefix, Enum<?> value) {
    return value.name().replaceFirst(prefix, "").toLowerCase(Locale.ROOT);
  }

  static String status(Participant participant) {
    return participant.hasRawStatus()
        ? participant.getRawStatus()
        : word(STATUS, participant.getStatus());
  }

  static JsonObject participant(Participant participant) {
    JsonObject json = new JsonObject();
    json.addProperty("id", participant.getId());
    json.addProperty("phone_number", participant.getPhoneNumber());
    json.addProperty("name", participant.getName());
    json.addProperty(
        "role",
        participant.hasRawRole() ? participant.getRawRole() : word(ROLE, participant.getRole()));
    json.addProperty("status", status(participant));
    json.addProperty("muted", participant.getMuted());
    return json;
  }

  static JsonObject state(State state) {
    JsonObject json = new JsonObject();
    json.addProperty("state", state.kind().name().toLowerCase(Locale.ROOT));
    json.add("roster", roster(state));
    json.addProperty("fresh", state.fresh());
    json.addProperty("stale_reason", state.staleReason());
    state.total().ifPresent(total -> json.addProperty("total", total));
    state.active().ifPresent(active -> json.addProperty("active", active));
    switch (state.kind()) {
      case SNAPSHOT -> json.addProperty("reason", word("SNAPSHOT_REASON_", state.snapshotReason()));
      case CHANGES -> json.add("changes", changes(state));
      case END -> json.addProperty("reason", word("WATCH_END_REASON_", state.endReason()));
      default -> state.error().ifPresent(error -> json.add("error", error(error)));
    }
    return json;
  }

  static JsonObject error(GatewayException error) {
    JsonObject json = new JsonObject();
    json.addProperty("code", error.code().name());
    json.addProperty("reason", error.reason());
    error.dialled().ifPresent(dialled -> json.addProperty("dialled", dialled));
    JsonArray fields = new JsonArray();
    error.fieldViolations().stream().map(FieldViolation::getField).forEach(fields::add);
    if (!fields.isEmpty()) {
      json.add("fields", fields);
    }
    error.retryDelay().ifPresent(delay -> json.addProperty("retry_after_ms", delay.toMillis()));
    return json;
  }

  private static JsonObject roster(State state) {
    JsonObject json = new JsonObject();
    state
        .roster()
        .forEach((id, p) -> json.addProperty(id, status(p) + (p.getMuted() ? "+muted" : "")));
    return json;
  }

  private static JsonArray changes(State state) {
    JsonArray json = new JsonArray();
    state.changes().stream().map(Words::change).forEach(json::add);
    return json;
  }

  private static JsonObject change(ParticipantChange change) {
    JsonObject json = new JsonObject();
    json.addProperty("kind", word("CHANGE_KIND_", change.getKind()));
    json.addProperty("participant", change.getParticipant().getId());
    json.addProperty("status", status(change.getParticipant()));
    if (change.hasPreviousRawStatus()) {
      json.addProperty("previous_status", change.getPreviousRawStatus());
    } else if (change.hasPreviousStatus()) {
      json.addProperty("previous_status", word(STATUS, change.getPreviousStatus()));
    }
    return json;
  }
}
