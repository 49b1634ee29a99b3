package com.audian.conference.client;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Flow;

/** A subscriber that records its signals. It requests nothing by itself. */
class Recorder implements Flow.Subscriber<State> {
  final List<State> states = new ArrayList<>();
  Flow.Subscription subscription;
  Throwable error;
  boolean completed;

  @Override
  public void onSubscribe(Flow.Subscription given) {
    subscription = given;
  }

  @Override
  public void onNext(State state) {
    states.add(state);
  }

  @Override
  public void onError(Throwable failure) {
    error = failure;
  }

  @Override
  public void onComplete() {
    completed = true;
  }

  List<State.Kind> kinds() {
    return states.stream().map(State::kind).toList();
  }

  State last() {
    return states.get(states.size() - 1);
  }

  GatewayException gatewayError() {
    return (GatewayException) error;
  }
}
