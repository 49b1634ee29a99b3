import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "src/gen/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
    ],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
      },
    },
  },
  {
    // node:test runs a test without anybody who awaits it.
    files: ["test/**/*.ts"],
    rules: {
      "@typescript-eslint/no-floating-promises": [
        "error",
        {
          allowForKnownSafeCalls: [
            { from: "package", package: "node:test", name: ["test", "suite"] },
          ],
        },
      ],
    },
  },
  {
    // The rest of the package also runs in browsers.
    files: ["src/**/*.ts"],
    ignores: ["src/node.ts"],
    rules: {
      "no-restricted-globals": ["error", "Buffer", "global", "process"],
      "no-restricted-imports": [
        "error",
        { patterns: ["node:*", "@connectrpc/connect-node"] },
      ],
    },
  },
);
