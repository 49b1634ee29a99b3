// Shows the API's document. The page sends nothing to other servers: the public
// validator is off. It does not store what is typed into "Authorize".

// The viewer shows a response only when it has ended, and a stream does not end. So
// "Try it out" is off for streams; their description contains a command instead.
function disableTryItOutForStreams() {
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
  plugins: [disableTryItOutForStreams],
});
