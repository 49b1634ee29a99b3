// Shows the OpenAPI document. The page sends nothing to other servers: the viewer's public
// validator is off. It does not store what is entered under "Authorize".

// The viewer shows a response only when it is complete, and a stream does not end: "Try it
// out" is off for streams. Their descriptions contain a command instead.
function withoutStreams() {
  const isStream = (system, path, method) =>
    system.specSelectors.specJson().hasIn(["paths", path, method, "responses", "200", "content", "text/event-stream"]);
  return {
    statePlugins: {
      spec: {
        wrapSelectors: {
          allowTryItOutFor: (original, system) => (state, path, method) =>
            original(state, path, method) && !isStream(system, path, method),
        },
      },
    },
  };
}

window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#viewer",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  validatorUrl: null,
  plugins: [withoutStreams],
});
