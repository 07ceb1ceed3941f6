/* What many locks hold: packages, and their versions with the locks that have them. */
const { fleet } = DATA;
const names = fleet.locks.map(name => name.toLowerCase());
const HOLDERS = [["in one lock alone", 14], ["in few", 45], ["in a tenth or more", 145], ["in half or more", 212]];
const AGES = [["the newest here", 212], ["an older version", 14], ["in several versions", 145]];

/* Which locks have what is below a node: kept, since it is asked for with every move. */
function holders(of) {
  if (!of.holders) of.holders = of.children ? new Set(of.children.flatMap(inner => [...holders(inner)])) : new Set(of.locks);
  return of.holders;
}
const rank = count => count <= 1 ? 0 : count * 2 >= fleet.locks.length ? 3 : count * 10 >= fleet.locks.length ? 2 : 1;

const panel = document.createElement("details"), heading = panel.appendChild(document.createElement("summary"));
const list = panel.appendChild(document.createElement("ul"));
let shown = null;
function fill() {
  if (!panel.open || !shown) return;
  list.replaceChildren(...[...holders(shown)].sort((a, b) => a - b).map(number => {
    const entry = document.createElement("li");
    entry.textContent = fleet.locks[number];
    return entry;
  }));
}
panel.hidden = true;
panel.addEventListener("toggle", fill);
said.after(panel);

/* Words that are names of locks, looked up once for each word. */
let asked = "", answer = new Set();
function locksNamed(word) {
  if (word !== asked) { asked = word; answer = new Set(names.keys()); for (const number of [...answer]) if (!names[number].includes(word)) answer.delete(number); }
  return answer;
}

start({
  title: `${fleet.name}: what a fleet holds`,
  heading: "What a fleet holds",
  placeholder: "Search packages, versions and locks",
  maps: [{
    name: several(fleet.locks.length, "lock"),
    top: "all packages",
    children: fleet.packages,
    sums: `${several(fleet.packages.length, "package")} in ${several(fleet.versions, "version")}, ${several(fleet.files, "content")}, ${bytes(fleet.bytes)}; ` +
      `${bytes(fleet.unique)} in one lock alone; as copies ${bytes(fleet.copied)}`,
  }],
  added: [],
  leaf(made, [, size, files, age, locks]) { Object.assign(made, { size, files, age, locks }); },
  mode: "holders",
  modes: { holders: "by how many locks have it", age: "by version" },
  hue: (leaf, mode) => mode === "age" ? AGES[leaf.age][1] : leaf.locks.length ? HOLDERS[rank(leaf.locks.length)][1] : 212,
  legend: mode => mode === "age" ? AGES : HOLDERS,
  describe: of => {
    const count = holders(of).size;
    return [count ? several(count, "lock") : "", of.children ? several(of.children.length, "part") : AGES[of.age][0]].filter(Boolean);
  },
  matches: (of, word) => !of.children && of.locks.some(number => locksNamed(word).has(number)),
  choose(of) {
    shown = of;
    const count = holders(of).size;
    panel.hidden = !count;
    heading.textContent = `${several(count, "lock")} with ${of.above && of.above.above ? `${of.above.name} ` : ""}${of.name}`;
    fill();
  },
});
