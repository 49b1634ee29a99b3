package com.audian.conference.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.Gson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The service config is the one that the gateway publishes. */
final class ServiceConfigTest {
  @Test
  void isThePublishedOne() throws IOException {
    Path published = Path.of("../../internal/schema/service_config.json");
    assumeTrue(Files.exists(published), "the gateway's repository is not here");

    Object expected = new Gson().fromJson(Files.readString(published), Map.class);
    assertEquals(expected, ServiceConfig.PUBLISHED);
  }
}
