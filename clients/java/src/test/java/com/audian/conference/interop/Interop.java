package com.audian.conference.interop;

import com.audian.conference.client.GatewayException;
import com.audian.conference.client.State;
import com.google.gson.JsonObject;
import io.grpc.StatusRuntimeException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** The program of the conformance suite: commands on the input, one JSON object a line. */
public final class Interop {
  /** A command in the background and its thread. */
  private record Running(Background command, Thread thread) {
    void stop() throws InterruptedException {
      command.cancel();
      thread.join();
    }
  }

  private final Output output;
  private final Map<String, Running> running = new HashMap<>();
  private Session session;

  private Interop(Output output) {
    this.output = output;
  }

  /** Serves the commands until the end of the input. */
  public static void main(String[] args) throws IOException, InterruptedException {
    PrintStream stream = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    Interop interop = new Interop(new Output(stream));
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      interop.serve(Command.parse(line));
    }
    interop.close();
  }

  private void serve(Command command) throws InterruptedException {
    switch (command.text("call")) {
      case "connect" -> connect(command);
      case "watch" -> background(command, new Watching(command, session, earlier(command), output));
      case "batch" -> background(command, new Batch(command, session, output));
      case "stop" -> stop(command);
      default -> foreground(command);
    }
  }

  private void connect(Command command) {
    if (session != null) {
      session.release();
    }
    session = new Session(command);
    output.writeTrue(command.text("id"), "ok");
  }

  private State earlier(Command command) {
    Running earlier = running.get(command.text("continue"));
    return earlier != null && earlier.command() instanceof Watching watching
        ? watching.last()
        : null;
  }

  private void background(Command command, Background background) {
    Session used = session.retain();
    Thread thread =
        new Thread(
            () -> {
              finish(command.text("id"), background, used);
              used.release();
            });
    running.put(command.text("id"), new Running(background, thread));
    thread.start();
  }

  private void finish(String id, Background background, Session used) {
    try {
      background.run();
      output.writeTrue(id, "done");
    } catch (StatusRuntimeException | GatewayException e) {
      output.write(id, failure(GatewayException.from(e), used));
    }
  }

  private void stop(Command command) throws InterruptedException {
    Running target = running.get(command.text("watch"));
    if (target != null) {
      target.stop();
    }
    output.writeTrue(command.text("id"), "ok");
  }

  private void foreground(Command command) {
    JsonObject result;
    try {
      result = UnaryCalls.run(session.client().blockingStub(), command);
    } catch (StatusRuntimeException e) {
      result = failure(GatewayException.from(e), session);
    }
    output.write(command.text("id"), result);
  }

  private static JsonObject failure(GatewayException error, Session used) {
    used.note(error);
    return Output.of("error", Words.error(error));
  }

  private void close() throws InterruptedException {
    for (Running each : running.values()) {
      each.stop();
    }
    if (session != null) {
      session.release();
    }
  }
}
