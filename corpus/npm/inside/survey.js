// Says what a project's packages offer: their entry points that are code, and their programs.
//
//     node survey.js NAME...
//
// One JSON object: "entries", the specifiers of `exports` (of a pattern those of the files that it matches) or of
// `main`; "programs", the names of `bin`.
"use strict";

const fs = require("fs");
const path = require("path");

const CODE = /\.([cm]?js|json|node)$/;
const MOST = 400;

function targets(value) {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object") return [];
  return Object.values(value).flatMap(targets);
}

function files(directory, below = "") {
  const found = [];
  for (const entry of fs.readdirSync(path.join(directory, below), { withFileTypes: true })) {
    const name = below ? `${below}/${entry.name}` : entry.name;
    if (entry.isDirectory() && entry.name !== "node_modules") found.push(...files(directory, name));
    else if (entry.isFile()) found.push(name);
  }
  return found;
}

function matched(name, key, value, directory) {
  const found = new Set();
  for (const target of targets(value)) {
    const parts = target.replace(/^\.\//, "").split("*");
    if (parts.length !== 2) continue;
    for (const file of files(directory)) {
      if (!CODE.test(file) || !file.startsWith(parts[0]) || !file.endsWith(parts[1])) continue;
      const star = file.slice(parts[0].length, file.length - parts[1].length);
      if (star) found.add(`${name}${key.slice(1).replace("*", star)}`);
    }
  }
  return [...found];
}

function entries(name, manifest, directory) {
  const offered = manifest.exports;
  if (offered === undefined || offered === null) {
    const main = manifest.main || "index.js";
    const tried = [main, `${main}.js`, `${main}.json`, `${main}/index.js`, "index.js"];
    return tried.some((file) => fs.existsSync(path.join(directory, file))) ? [name] : [];
  }
  const keys = typeof offered === "object" && !Array.isArray(offered) ? Object.keys(offered) : [];
  if (!keys.some((key) => key.startsWith("."))) return [name];
  return keys.flatMap((key) => {
    if (key.includes("*")) return matched(name, key, offered[key], directory);
    return targets(offered[key]).some((target) => CODE.test(target)) ? [`${name}${key.slice(1)}`] : [];
  });
}

const said = { entries: [], programs: [] };
for (const name of process.argv.slice(2)) {
  const directory = path.join("node_modules", name);
  const manifest = JSON.parse(fs.readFileSync(path.join(directory, "package.json"), "utf8"));
  said.entries.push(...new Set(entries(name, manifest, directory)));
  const bin = manifest.bin || {};
  said.programs.push(...(typeof bin === "string" ? [name.split("/").pop()] : Object.keys(bin)));
}
said.entries = said.entries.slice(0, MOST);
console.log(JSON.stringify(said));
