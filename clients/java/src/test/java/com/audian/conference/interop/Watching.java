package com.audian.conference.interop;

import com.audian.conference.client.State;
import com.audian.conference.client.States;
import com.audian.conference.client.WatchOptions;
import com.audian.conference.v2.ParticipantRole;
import com.audian.conference.v2.ParticipantStatus;
import java.time.Duration;

/** A watch in the background. */
final class Watching implements Background {
  private final String id;
  private final Session session;
  private final Output output;
  private final States states;
  private volatile State last;

  /** Opens a watch; {@code earlier} is the last state of the watch that it continues, or null. */
  Watching(Command command, Session session, State earlier, Output output) {
    this.id = command.text("id");
    this.session = session;
    this.output = output;
    this.last = earlier;
    states = session.client().watch(command.text("conference"), options(command, earlier)).states();
  }

  @Override
  public void run() {
    for (State state : states) {
      last = state;
      state.error().ifPresent(session::note);
      output.write(id, Words.state(state));
    }
  }

  @Override
  public void cancel() {
    states.close();
  }

  /** Returns the last state; null if there was none. */
  State last() {
    return last;
  }

  private static WatchOptions options(Command command, State earlier) {
    WatchOptions options =
        WatchOptions.DEFAULT
            .withStatuses(command.statuses().toArray(ParticipantStatus[]::new))
            .withRoles(command.roles().toArray(ParticipantRole[]::new))
            .withParticipantIds(command.texts("participant_ids"))
            .withHeartbeatInterval(Duration.ofSeconds(command.number("heartbeat_s", 15)));
    return earlier == null ? options : options.withResumeFrom(earlier);
  }
}
