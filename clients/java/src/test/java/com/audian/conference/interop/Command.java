package com.audian.conference.interop;

import com.audian.conference.v2.ParticipantRole;
import com.audian.conference.v2.ParticipantStatus;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;

/** One line of the input. A field that is absent or null has its default. */
record Command(JsonObject fields) {
  static Command parse(String line) {
    return new Command(JsonParser.parseString(line).getAsJsonObject());
  }

  String text(String name) {
    return field(name).map(JsonElement::getAsString).orElse("");
  }

  boolean flag(String name) {
    return field(name).map(JsonElement::getAsBoolean).orElse(false);
  }

  int number(String name, int otherwise) {
    return field(name).map(JsonElement::getAsInt).orElse(otherwise);
  }

  List<JsonElement> list(String name) {
    JsonArray array = field(name).map(JsonElement::getAsJsonArray).orElseGet(JsonArray::new);
    return StreamSupport.stream(array.spliterator(), false).toList();
  }

  List<String> texts(String name) {
    return list(name).stream().map(JsonElement::getAsString).toList();
  }

  ParticipantRole role(String name) {
    String word = text(name);
    return word.isEmpty() ? ParticipantRole.PARTICIPANT_ROLE_UNSPECIFIED : Words.role(word);
  }

  List<ParticipantStatus> statuses() {
    return texts("statuses").stream().map(Words::status).toList();
  }

  List<ParticipantRole> roles() {
    return texts("roles").stream().map(Words::role).toList();
  }

  private Optional<JsonElement> field(String name) {
    return Optional.ofNullable(fields.get(name)).filter(value -> !value.isJsonNull());
  }
}
