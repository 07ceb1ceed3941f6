import js from "@eslint/js";
import prettier from "eslint-config-prettier";
import imports from "eslint-plugin-import";
import react from "eslint-plugin-react";
import hooks from "eslint-plugin-react-hooks";
import typescript from "typescript-eslint";

export default typescript.config(
  js.configs.recommended,
  ...typescript.configs.recommendedTypeChecked,
  { languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } } },
  { files: ["**/*.js"], extends: [typescript.configs.disableTypeChecked] },
  imports.flatConfigs.errors,
  { ...react.configs.flat.recommended, settings: { react: { version: "19.0" } } },
  { plugins: { "react-hooks": hooks }, rules: hooks.configs.recommended.rules },
  prettier,
);
