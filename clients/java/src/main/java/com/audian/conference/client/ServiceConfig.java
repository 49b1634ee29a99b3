package com.audian.conference.client;

import java.util.List;
import java.util.Map;

/** The service config that the gateway publishes at /schema/service_config.json. */
final class ServiceConfig {
  private static final String SERVICE = "audian.conference.v2.ParticipantService";

  /** In the form of ManagedChannelBuilder.defaultServiceConfig: all numbers are doubles. */
  static final Map<String, Object> PUBLISHED =
      Map.of(
          "methodConfig",
          List.of(
              Map.of(
                  "name",
                  List.of(
                      Map.of("service", SERVICE, "method", "ListParticipants"),
                      Map.of("service", SERVICE, "method", "RemoveParticipant")),
                  "retryPolicy",
                  Map.of(
                      "maxAttempts",
                      4.0,
                      "initialBackoff",
                      "0.2s",
                      "maxBackoff",
                      "3s",
                      "backoffMultiplier",
                      2.0,
                      "retryableStatusCodes",
                      List.of("UNAVAILABLE")))),
          "retryThrottling",
          Map.of("maxTokens", 10.0, "tokenRatio", 0.1));

  private ServiceConfig() {}
}
