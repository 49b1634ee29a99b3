package com.audian.conference.interop;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.PrintStream;

/** The lines of the output. It is safe for concurrent use. */
final class Output {
  private final PrintStream stream;

  Output(PrintStream stream) {
    this.stream = stream;
  }

  synchronized void write(String id, JsonObject fields) {
    JsonObject line = new JsonObject();
    line.addProperty("id", id);
    fields.entrySet().forEach(field -> line.add(field.getKey(), field.getValue()));
    stream.println(line);
    stream.flush();
  }

  void writeTrue(String id, String name) {
    write(id, of(name, new JsonPrimitive(true)));
  }

  static JsonObject of(String name, JsonElement value) {
    JsonObject fields = new JsonObject();
    fields.add(name, value);
    return fields;
  }
}
