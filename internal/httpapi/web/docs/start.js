// Shows the API's document. Nothing is sent elsewhere: the public validator, which
// the viewer would ask, is off. What is typed into "Authorize" is not kept.

// A stream has no end, and the viewer shows an answer when it has ended: such an
// operation cannot be tried here. Its description has a command that shows it.
function streamsNotTried() {
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
  plugins: [streamsNotTried],
});
