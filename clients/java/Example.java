import com.audian.conference.client.ConferenceClient;
import com.audian.conference.client.State;
import com.audian.conference.client.States;
import com.audian.conference.v2.ParticipantChange;

/** Watches a conference and prints its changes: Example.java CONFERENCE [ADDRESS]. */
public final class Example {
  private Example() {}

  public static void main(String[] args) {
    String address =
        args.length > 1 ? args[1] : System.getenv().getOrDefault("GATEWAY_ADDR", "127.0.0.1:9090");
    ConferenceClient.Builder builder = ConferenceClient.builder(address);
    String key = System.getenv("GATEWAY_KEY");
    if (key != null) {
      builder.credential(key);
    }
    try (ConferenceClient client = builder.build();
        States states = client.watch(args[0]).states()) {
      for (State state : states) {
        print(state);
      }
    }
  }

  private static void print(State state) {
    String freshness = state.fresh() ? "" : ", stale: " + state.staleReason();
    System.out.println(state.kind() + ": " + state.roster().size() + " participants" + freshness);
    for (ParticipantChange change : state.changes()) {
      var participant = change.getParticipant();
      System.out.println(
          "  " + change.getKind() + " " + participant.getId() + " " + participant.getStatus());
    }
  }
}
