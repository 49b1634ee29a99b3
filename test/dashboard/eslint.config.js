import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["**/node_modules/"] },
  js.configs.recommended,
  {
    rules: {
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "max-len": ["error", { code: 170, ignoreUrls: true }],
      "max-lines-per-function": ["error", { max: 60, skipComments: true }],
    },
  },
  { files: ["**/web/dashboard/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["test/dashboard/*.js"], languageOptions: { globals: { ...globals.node, ...globals.browser } } },
];
