import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.JSON;
import org.openapitools.client.api.ParticipantsApi;
import org.openapitools.client.model.AddParticipantRequest;
import org.openapitools.client.model.ErrorBody;
import org.openapitools.client.model.ErrorDetail;
import org.openapitools.client.model.FieldViolation;
import org.openapitools.client.model.ListParticipantsResponse;
import org.openapitools.client.model.Participant;
import org.openapitools.client.model.ParticipantRole;
import org.openapitools.client.model.ParticipantStatus;

/** A client of the conformance test: the Java client that OpenAPI Generator makes. Commands in, results out. */
public final class Interop {
  private static final int CALL_MILLIS = 80_000;

  private ParticipantsApi api;

  public static void main(String[] arguments) throws IOException {
    Interop program = new Interop();
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      JsonObject command = JsonParser.parseString(line).getAsJsonObject();
      JsonObject result = program.serve(command);
      result.add("id", command.get("id"));
      System.out.println(result);
    }
    System.exit(0); // the HTTP client's threads would go on for a while
  }

  private JsonObject serve(JsonObject command) {
    try {
      return call(command);
    } catch (ApiException failure) {
      return with("error", errorResult(failure));
    }
  }

  private JsonObject call(JsonObject command) throws ApiException {
    String conference = text(command, "conference");
    String id = text(command, "participant");
    switch (text(command, "call")) {
      case "connect":
        connect(command);
        return ok();
      case "add":
        return one(api.addParticipant(conference, addRequest(command), null, null, null, null));
      case "get":
        return one(api.getParticipant(conference, id, null, null, null));
      case "mute":
        return one(api.muteParticipant(conference, id, null, null, null));
      case "unmute":
        return one(api.unmuteParticipant(conference, id, null, null, null));
      case "hold":
        return one(api.holdParticipant(conference, id, null, null, null));
      case "resume":
        return one(api.resumeParticipant(conference, id, null, null, null));
      case "disconnect":
        return one(api.disconnectParticipant(conference, id, null, null, null));
      case "remove":
        api.removeParticipant(conference, id, null, null, null);
        return ok();
      case "mute_all":
        api.muteAllParticipants(conference, null, null, null);
        return ok();
      case "refresh":
        api.refreshParticipants(conference, null, null, null);
        return ok();
      case "list":
        return list(conference, command);
      default:
        return with("unsupported", json(true));
    }
  }

  private void connect(JsonObject command) {
    ApiClient client = new ApiClient().setBasePath(text(command, "url")).setReadTimeout(CALL_MILLIS);
    client.setBearerToken(text(command, "credential"));
    api = new ParticipantsApi(client);
  }

  private static AddParticipantRequest addRequest(JsonObject command) {
    String role = text(command, "role");
    return new AddParticipantRequest()
        .phoneNumber(text(command, "phone_number"))
        .name(text(command, "name"))
        .role(role == null ? null : ParticipantRole.fromValue(role))
        .muted(flag(command, "muted"))
        .requestId(text(command, "request_id"))
        .validateOnly(flag(command, "validate_only"))
        .waitForAnswer(flag(command, "wait_for_answer"));
  }

  /** Reads all pages. */
  private JsonObject list(String conference, JsonObject command) throws ApiException {
    List<ParticipantStatus> statuses = texts(command, "statuses").stream().map(ParticipantStatus::fromValue).toList();
    List<ParticipantRole> roles = texts(command, "roles").stream().map(ParticipantRole::fromValue).toList();
    Integer pageSize = command.has("page_size") ? command.get("page_size").getAsInt() : null;
    JsonArray found = new JsonArray();
    String token = null;
    for (int pages = 1; ; pages++) {
      ListParticipantsResponse page =
          api.listParticipants(conference, statuses, roles, pageSize, token, null, null, null);
      page.getParticipants().forEach(participant -> found.add(participantResult(participant)));
      token = page.getNextPageToken();
      if (token.isEmpty()) {
        JsonObject result = with("participants", found);
        result.addProperty("pages", pages);
        result.addProperty("total", page.getTotal());
        result.addProperty("active", page.getActive());
        return result;
      }
    }
  }

  private static JsonObject one(Participant participant) {
    return participant == null ? ok() : with("participant", participantResult(participant));
  }

  private static JsonObject participantResult(Participant participant) {
    JsonObject result = new JsonObject();
    result.addProperty("id", participant.getId());
    result.addProperty("phone_number", participant.getPhoneNumber());
    result.addProperty("name", participant.getName());
    result.addProperty("role", participant.getRole());
    result.addProperty("status", participant.getStatus().isEmpty() ? "unspecified" : participant.getStatus());
    result.addProperty("muted", participant.getMuted());
    return result;
  }

  /** Describes a failed call. One that got no error body of the gateway is UNAVAILABLE. */
  private static JsonObject errorResult(ApiException failure) {
    if (failure.getResponseBody() == null) {
      JsonObject result = with("code", json("UNAVAILABLE"));
      result.addProperty("reason", "");
      return result;
    }
    return errorResult(
        JSON.getGson().fromJson(failure.getResponseBody(), org.openapitools.client.model.Error.class).getError());
  }

  private static JsonObject errorResult(ErrorBody body) {
    JsonObject result = with("code", json(body.getStatus()));
    result.addProperty("reason", "");
    for (ErrorDetail detail : body.getDetails()) {
      String type = detail.getAtType();
      switch (type.substring(type.lastIndexOf('.') + 1)) {
        case "ErrorInfo" -> {
          result.addProperty("reason", detail.getReason());
          result.addProperty("dialled", detail.getMetadata().getDialled());
        }
        case "BadRequest" ->
            result.add("fields", json(detail.getFieldViolations().stream().map(FieldViolation::getField).toList()));
        case "RetryInfo" -> result.addProperty("retry_after_ms", millis(detail.getRetryDelay()));
        default -> { }
      }
    }
    return result;
  }

  /** Returns the milliseconds of a duration like 1.5s. */
  private static long millis(String duration) {
    return new BigDecimal(duration.substring(0, duration.length() - 1)).movePointRight(3).longValue();
  }

  private static JsonObject ok() {
    return with("ok", json(true));
  }

  private static JsonObject with(String key, JsonElement value) {
    JsonObject result = new JsonObject();
    result.add(key, value);
    return result;
  }

  private static JsonElement json(Object value) {
    return new Gson().toJsonTree(value);
  }

  private static String text(JsonObject command, String key) {
    return command.has(key) ? command.get(key).getAsString() : null;
  }

  private static Boolean flag(JsonObject command, String key) {
    return command.has(key) ? command.get(key).getAsBoolean() : null;
  }

  private static List<String> texts(JsonObject command, String key) {
    List<String> values = new ArrayList<>();
    if (command.has(key)) {
      command.getAsJsonArray(key).forEach(value -> values.add(value.getAsString()));
    }
    return values;
  }
}
