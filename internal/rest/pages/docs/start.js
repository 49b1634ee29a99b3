// Shows the API's document. Nothing is sent elsewhere: the public validator, which
// the viewer would ask, is off. What is typed into "Authorize" is not kept.
window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#viewer",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  validatorUrl: null,
});
