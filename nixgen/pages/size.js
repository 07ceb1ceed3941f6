/* What environments cost: every file of each. */
const KINDS = [["source code", 212], ["native code", 14], ["text and metadata", 145], ["other data", 45]];
const NATIVE = /\.(so|dylib|pyd|dll|a|node|wasm)(\.|$)/, SOURCE = /\.(py|pyi|pyx|pxd|[cm]?[jt]sx?|vue|svelte)$/, TEXT = /\.(txt|md|rst|html?|json|toml|cfg|ini|ya?ml|css|xml|csv|po|map)$|^(METADATA|RECORD|WHEEL|LICENSE.*|COPYING.*)$/i;
const kindOf = name => NATIVE.test(name) ? 1 : SOURCE.test(name) ? 0 : TEXT.test(name) ? 2 : 3;
const two = DATA.environments.length > new Set(DATA.environments.map(({ kind }) => kind)).size;

start({
  title: `${DATA.environments.map(({ name }) => name).join(" and ")}: what an environment costs`,
  heading: "What an environment costs",
  placeholder: "Search files and packages",
  maps: DATA.environments.map(one => ({
    name: one.name,
    top: "all packages",
    children: one.packages,
    sums: `${one.kind === "npm" ? "npm" : `Python ${one.python}`}, ${one.system}: ${several(one.packages.length, "package")}, ${several(one.files, "content")}, ${bytes(one.bytes)}` +
      (one.shared === null ? "" : `; ${bytes(one.shared)} shared with the other`) +
      (one.disk === null ? "" : `; links and all of its own: ${bytes(one.disk)}`),
  })),
  added: ["shared", "stored"],
  leaf(made, [name, size, marks]) {
    Object.assign(made, { size, files: 1, marks, kind: kindOf(name), shared: marks & 1 ? size : 0, stored: marks & 2 ? size : 0 });
  },
  mode: two ? "shared" : "kind",
  modes: { kind: "by kind of file", ...(two ? { shared: "by what others have" } : {}), stored: "by what this store has" },
  hue: (file, mode) => mode === "kind" ? KINDS[file.kind][1] : file.marks & (mode === "shared" ? 1 : 2) ? 212 : 28,
  legend: mode => mode === "kind" ? KINDS : mode === "shared" ? [["in another too", 212], ["only here", 28]] : [["in the store", 212], ["still to come", 28]],
  describe: of => [
    ...(two ? [of.shared === of.size ? "another has it too" : of.shared ? `${bytes(of.shared)} shared` : "only here"] : []),
    of.stored === of.size ? "in the store" : of.stored ? `${bytes(of.stored)} in the store` : "not in the store",
  ],
});
