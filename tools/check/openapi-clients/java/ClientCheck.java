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

/** Uses the Java client that OpenAPI Generator makes: a list, an add, a get, a mute, a refresh, and a refused add. */
public final class ClientCheck {
  private static final String CONFERENCE = "conf_demo";

  public static void main(String[] arguments) throws Exception {
    ParticipantsApi api = new ParticipantsApi(new ApiClient().setBasePath(arguments[0]));

    ListParticipantsResponse list = api.listParticipants(CONFERENCE, null, null, null, null, null, null, null);
    check(!list.getParticipants().isEmpty() && list.getTotal() == list.getParticipants().size(), list);
    check(!list.getParticipants().get(0).getStatus().isEmpty(), list);

    AddParticipantRequest request =
        new AddParticipantRequest().phoneNumber("+12025550199").name("Ada").role(ParticipantRole.LISTENER);
    Participant added = api.addParticipant(CONFERENCE, request, null, null, null, null);
    check(!added.getId().isEmpty() && added.getPhoneNumber().equals("+12025550199") && added.getRole().equals("listener"), added);

    Participant found = api.getParticipant(CONFERENCE, added.getId(), null, null, null);
    check(found.getId().equals(added.getId()), found);
    Participant muted = api.muteParticipant(CONFERENCE, added.getId(), null, null, null);
    check(muted.getMuted(), muted);
    api.refreshParticipants(CONFERENCE, null, null, null);

    List<String> fields = new ArrayList<>();
    try {
      api.addParticipant(CONFERENCE, new AddParticipantRequest().phoneNumber("abc"), null, null, null, null);
    } catch (ApiException refused) {
      ErrorBody body = JSON.getGson().fromJson(refused.getResponseBody(), org.openapitools.client.model.Error.class).getError();
      check(refused.getCode() == 400 && body.getStatus().equals("INVALID_ARGUMENT"), body);
      for (ErrorDetail detail : body.getDetails()) {
        for (FieldViolation violation : detail.getFieldViolations()) {
          fields.add(violation.getField());
        }
      }
    }
    check(fields.equals(List.of("phone_number")), fields);
    System.out.printf("%d listed, %s added, %s refused%n", list.getTotal(), added.getId(), fields.get(0));
    System.exit(0);
  }

  private static void check(boolean holds, Object found) {
    if (!holds) {
      throw new AssertionError(found);
    }
  }
}
