package com.audian.conference.interop;

import com.audian.conference.v2.AddParticipantRequest;
import com.audian.conference.v2.DisconnectParticipantRequest;
import com.audian.conference.v2.GetParticipantRequest;
import com.audian.conference.v2.HoldParticipantRequest;
import com.audian.conference.v2.ListParticipantsRequest;
import com.audian.conference.v2.ListParticipantsResponse;
import com.audian.conference.v2.MuteAllParticipantsRequest;
import com.audian.conference.v2.MuteParticipantRequest;
import com.audian.conference.v2.Participant;
import com.audian.conference.v2.ParticipantServiceGrpc.ParticipantServiceBlockingStub;
import com.audian.conference.v2.RefreshParticipantsRequest;
import com.audian.conference.v2.RemoveParticipantRequest;
import com.audian.conference.v2.ResumeParticipantRequest;
import com.audian.conference.v2.UnmuteParticipantRequest;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;

/** The calls with one response. */
final class UnaryCalls {
  private static final JsonObject OK = Output.of("ok", new JsonPrimitive(true));

  private final ParticipantServiceBlockingStub stub;
  private final Command command;
  private final String conference;
  private final String id;

  private UnaryCalls(ParticipantServiceBlockingStub stub, Command command) {
    this.stub = stub;
    this.command = command;
    this.conference = command.text("conference");
    this.id = command.text("participant");
  }

  static JsonObject run(ParticipantServiceBlockingStub stub, Command command) {
    return new UnaryCalls(stub, command).run();
  }

  private JsonObject run() {
    return switch (command.text("call")) {
      case "add" -> add();
      case "get" -> get();
      case "list" -> list();
      case "mute" -> mute();
      case "unmute" -> unmute();
      case "hold" -> hold();
      case "resume" -> resume();
      case "disconnect" -> disconnect();
      case "remove" -> remove();
      case "mute_all" -> muteAll();
      case "refresh" -> refresh();
      default -> Output.of("unsupported", new JsonPrimitive(true));
    };
  }

  private JsonObject add() {
    var request =
        AddParticipantRequest.newBuilder()
            .setConferenceId(conference)
            .setPhoneNumber(command.text("phone_number"))
            .setName(command.text("name"))
            .setRole(command.role("role"))
            .setMuted(command.flag("muted"))
            .setRequestId(command.text("request_id"))
            .setValidateOnly(command.flag("validate_only"))
            .setWaitForAnswer(command.flag("wait_for_answer"));
    var response = stub.addParticipant(request.build());
    return participant(response.hasParticipant(), response.getParticipant());
  }

  private JsonObject get() {
    var request = GetParticipantRequest.newBuilder().setConferenceId(conference);
    var response = stub.getParticipant(request.setParticipantId(id).build());
    return participant(response.hasParticipant(), response.getParticipant());
  }

  private JsonObject list() {
    var request =
        ListParticipantsRequest.newBuilder()
            .setConferenceId(conference)
            .addAllStatuses(command.statuses())
            .addAllRoles(command.roles())
            .setPageSize(command.number("page_size", 0));
    JsonArray participants = new JsonArray();
    ListParticipantsResponse page;
    int pages = 0;
    do {
      page = stub.listParticipants(request.build());
      page.getParticipantsList().stream().map(Words::participant).forEach(participants::add);
      request.setPageToken(page.getNextPageToken());
      pages++;
    } while (!page.getNextPageToken().isEmpty());
    JsonObject json = Output.of("participants", participants);
    json.addProperty("pages", pages);
    json.addProperty("total", page.getTotal());
    json.addProperty("active", page.getActive());
    return json;
  }

  private JsonObject mute() {
    var request = MuteParticipantRequest.newBuilder().setConferenceId(conference);
    var response = stub.muteParticipant(request.setParticipantId(id).build());
    return participant(response.hasParticipant(), response.getParticipant());
  }

  private JsonObject unmute() {
    var request = UnmuteParticipantRequest.newBuilder().setConferenceId(conference);
    var response = stub.unmuteParticipant(request.setParticipantId(id).build());
    return participant(response.hasParticipant(), response.getParticipant());
  }

  private JsonObject hold() {
    var request = HoldParticipantRequest.newBuilder().setConferenceId(conference);
    var response = stub.holdParticipant(request.setParticipantId(id).build());
    return participant(response.hasParticipant(), response.getParticipant());
  }

  private JsonObject resume() {
    var request = ResumeParticipantRequest.newBuilder().setConferenceId(conference);
    var response = stub.resumeParticipant(request.setParticipantId(id).build());
    return participant(response.hasParticipant(), response.getParticipant());
  }

  private JsonObject disconnect() {
    var request = DisconnectParticipantRequest.newBuilder().setConferenceId(conference);
    var response = stub.disconnectParticipant(request.setParticipantId(id).build());
    return participant(response.hasParticipant(), response.getParticipant());
  }

  private JsonObject remove() {
    var request = RemoveParticipantRequest.newBuilder().setConferenceId(conference);
    stub.removeParticipant(request.setParticipantId(id).build());
    return OK;
  }

  private JsonObject muteAll() {
    stub.muteAllParticipants(
        MuteAllParticipantsRequest.newBuilder().setConferenceId(conference).build());
    return OK;
  }

  private JsonObject refresh() {
    stub.refreshParticipants(
        RefreshParticipantsRequest.newBuilder().setConferenceId(conference).build());
    return OK;
  }

  private static JsonObject participant(boolean present, Participant participant) {
    return present ? Output.of("participant", Words.participant(participant)) : OK;
  }
}
