/**
 * The client of the participant gateway.
 *
 * <p>{@link com.audian.conference.client.ConferenceClient} makes the connection with the settings
 * that the gateway expects. Its {@link com.audian.conference.client.ConferenceWatch} keeps the
 * roster of a conference and survives lost and silent connections. All other calls are methods of
 * the generated stubs in {@code com.audian.conference.v2}.
 */
package com.audian.conference.client;
