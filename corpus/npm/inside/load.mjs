// Loads modules as a file of the project would, one after another, and says what each gives.
//
//     node --input-type=module --eval "$(cat load.mjs)" require|import MILLISECONDS SPECIFIER...
//
// A line for each: "begin" before, then how it ended; a line that begins otherwise is of a module that prints.

import { writeSync } from "node:fs";
import { createRequire } from "node:module";

const [kind, milliseconds, ...specifiers] = process.argv.slice(1);
const require = createRequire(`${process.cwd()}/probe.js`);

const say = (...words) => writeSync(1, `\n\u0001${JSON.stringify(words)}\n`);
const shape = (value) => {
  const names = value !== null && /object|function/.test(typeof value) ? Object.keys(value).sort() : [];
  return `${typeof value} ${names.join(" ")}`;
};
const patience = (promise) => {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error("took too long")), Number(milliseconds));
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

process.on("uncaughtException", () => {});
process.on("unhandledRejection", () => {});
for (const specifier of specifiers) {
  say("begin", specifier);
  try {
    const found = kind === "require" ? require(specifier) : await patience(import(specifier));
    say("pass", specifier, shape(found));
  } catch (error) {
    say("fail", specifier, String(error?.code ?? error?.name ?? error), String(error?.stack ?? error).slice(0, 2000));
  }
}
process.exit(0);
