/* Treemaps on canvases, for the mouse, fingers and the keyboard. A page calls start() with a view:
   title, heading        of the document, and at its top
   placeholder           what the field for searching says
   maps                  a list of { name, sums, top, children }: what each is called, a line below that, what all of it
                         is called, and its nodes, each [name, [nodes…]] or [name, size, …] as leaf() reads it
   leaf(made, data)      sets what a leaf has: size, files, and what is to be added up
   added                 the names of what a node has as the sum of what is in it, beside size and files
   modes                 the ways to colour, by name; mode is the first to be shown
   hue(leaf, mode)       the hue of a leaf, in degrees
   legend(mode)          a list of [text, hue]
   describe(node)        what there is to say of a node, beside its path, size, share and files
   matches(node, word)   whether a node is what is searched, beside having the word in its path; may be missing
   choose(node)          is told what is chosen; may be missing */
const dark = matchMedia("(prefers-color-scheme: dark)");
const tip = document.getElementById("tip"), said = document.getElementById("said");
let view = null, mode = "", maps = [];

function bytes(count) {
  let unit = "B";
  for (const larger of ["kB", "MB", "GB", "TB"]) { if (count < 1000) break; count /= 1000; unit = larger; }
  return (unit === "B" || count >= 100 ? count.toFixed(0) : count.toFixed(1)) + " " + unit;
}
const counted = number => number.toLocaleString("en");
const several = (number, noun) => `${counted(number)} ${noun}${number === 1 ? "" : "s"}`;

/* A node: name, size, files, what the view adds up, and children sorted by size. */
function node(data, above) {
  const made = { name: data[0], above, size: 0, files: 0, children: null, found: true, rect: null };
  for (const key of view.added) made[key] = 0;
  if (!Array.isArray(data[1])) { view.leaf(made, data); return made; }
  made.children = data[1].map(inner => node(inner, made)).sort((a, b) => b.size - a.size);
  for (const inner of made.children) {
    made.size += inner.size; made.files += inner.files;
    for (const key of view.added) made[key] += inner[key];
  }
  return made;
}

function colour(hue, found) {
  return `hsl(${hue} ${found ? (dark.matches ? 45 : 62) : 8}% ${found ? (dark.matches ? 42 : 68) : (dark.matches ? 20 : 92)}%)`;
}

/* Squarified treemap (Bruls, Huizing, van Wijk 2000). */
function squarify(children, x, y, width, height, place) {
  const total = children.reduce((sum, child) => sum + child.size, 0);
  if (!total || width <= 0 || height <= 0) return;
  const scale = width * height / total;
  let start = 0;
  while (start < children.length) {
    const side = Math.min(width, height);
    let sum = 0, worst = Infinity, end = start;
    for (; end < children.length; end++) {
      const next = sum + children[end].size * scale, largest = children[start].size * scale, least = children[end].size * scale;
      const ratio = Math.max(side * side * largest / (next * next), next * next / (side * side * Math.max(least, 1e-9)));
      if (ratio > worst) break;
      worst = ratio; sum = next;
    }
    const thick = side > 0 ? sum / side : 0;
    let along = 0;
    for (let number = start; number < end; number++) {
      const long = thick > 0 ? children[number].size * scale / thick : 0;
      if (width < height) place(children[number], x + along, y, long, thick);
      else place(children[number], x, y + along, thick, long);
      along += long;
    }
    if (width < height) { y += thick; height -= thick; } else { x += thick; width -= thick; }
    start = end;
  }
}

class Treemap {
  constructor(map, parent) {
    this.map = map;
    this.root = this.top = node([map.name, map.children], null);
    this.chosen = null; this.rects = [];
    const section = document.createElement("section");
    section.appendChild(document.createElement("h2")).textContent = map.name;
    const sums = section.appendChild(document.createElement("p"));
    sums.className = "sums"; sums.textContent = map.sums;
    this.where = section.appendChild(document.createElement("p"));
    this.where.className = "where";
    const place = section.appendChild(document.createElement("div"));
    place.className = "map";
    this.canvas = place.appendChild(document.createElement("canvas"));
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", `Treemap of ${map.name}`);
    this.base = document.createElement("canvas");
    parent.appendChild(section);
    new ResizeObserver(() => this.layout()).observe(place);
    this.canvas.addEventListener("pointermove", event => this.point(event));
    this.canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
    this.canvas.addEventListener("click", event => { this.point(event); if (this.chosen) this.enter(this.level(this.chosen)); });
    this.canvas.addEventListener("keydown", event => this.key(event));
    this.canvas.addEventListener("focus", () => { if (!this.chosen) this.choose(this.rects.find(rect => rect.depth === 1)?.node); });
  }
  layout() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const dots = Math.min(devicePixelRatio || 1, 2);
    this.dots = dots;
    for (const canvas of [this.canvas, this.base]) { canvas.width = width * dots; canvas.height = height * dots; }
    for (const rect of this.rects) rect.node.rect = null;
    this.rects = [];
    const place = (child, x, y, w, h, depth) => {
      child.rect = { node: child, x, y, w, h, depth };
      this.rects.push(child.rect);
      if (!child.children || w < 3 || h < 3) return;
      const head = depth === 1 && w > 46 && h > 30 ? 16 : 0, edge = depth < 3 && w > 12 && h > 12 ? 1 : 0;
      squarify(child.children, x + edge, y + edge + head, w - 2 * edge, h - 2 * edge - head, (...inner) => place(...inner, depth + 1));
    };
    const shown = this.top.children || [this.top];
    squarify(shown, 0, 0, width, height, (...inner) => place(...inner, 1));
    this.trail();
    this.draw();
  }
  draw() {
    const pen = this.base.getContext("2d"), width = this.base.width / this.dots, height = this.base.height / this.dots;
    const style = getComputedStyle(document.documentElement);
    pen.setTransform(this.dots, 0, 0, this.dots, 0, 0);
    pen.fillStyle = style.getPropertyValue("--line");
    pen.fillRect(0, 0, width, height);
    const cache = new Map(), colours = leaf => {
      const hue = view.hue(leaf, mode), key = hue * 2 + leaf.found;
      if (!cache.has(key)) cache.set(key, colour(hue, leaf.found));
      return cache.get(key);
    };
    for (const { node: shown, x, y, w, h } of this.rects) {
      const whole = !shown.children || w < 3 || h < 3;
      if (!whole) continue;
      let leaf = shown;
      while (leaf.children && leaf.children.length) leaf = leaf.children.find(inner => inner.found) || leaf.children[0];
      pen.fillStyle = leaf.children ? "gray" : colours(leaf);
      const gap = w > 4 && h > 4 ? .5 : 0;
      pen.fillRect(x, y, Math.max(w - gap, .3), Math.max(h - gap, .3));
    }
    const text = style.getPropertyValue("--text"), soft = style.getPropertyValue("--soft");
    pen.textBaseline = "middle";
    for (const { node: shown, x, y, w, h, depth } of this.rects) {
      if (w < 46 || h < 16 || (depth > 1 && shown.children)) continue;
      pen.font = `${depth === 1 ? "600 " : ""}12px system-ui, sans-serif`;
      const label = `${shown.name}  ${bytes(shown.size)}`;
      const room = w - 8, fits = pen.measureText(label).width <= room;
      if (!fits && depth > 1 && w < 60) continue;
      pen.fillStyle = shown.found ? text : soft;
      pen.save(); pen.beginPath(); pen.rect(x + 3, y, room + 2, h); pen.clip();
      pen.fillText(fits ? label : shown.name, x + 4, y + 9);
      pen.restore();
    }
    this.overlay();
  }
  overlay() {
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.drawImage(this.base, 0, 0);
    pen.setTransform(this.dots, 0, 0, this.dots, 0, 0);
    const rect = this.chosen && this.chosen.rect;
    if (!rect) return;
    const style = getComputedStyle(document.documentElement), frame = [rect.x + 1.5, rect.y + 1.5, Math.max(rect.w - 3, 2), Math.max(rect.h - 3, 2)];
    pen.lineWidth = 4; pen.strokeStyle = style.getPropertyValue("--back"); pen.strokeRect(...frame);
    pen.lineWidth = 2; pen.strokeStyle = style.getPropertyValue("--text"); pen.strokeRect(...frame);
  }
  path(of) { const names = []; for (let at = of; at && at.above; at = at.above) names.unshift(at.name); return names.join(" / "); }
  describe(of) {
    const parts = [this.path(of) || of.name, bytes(of.size), `${(100 * of.size / (this.root.size || 1)).toFixed(1)}% of all`];
    if (of.files !== 1 || of.children) parts.push(several(of.files, "file"));
    return [...parts, ...view.describe(of)].join(" · ");
  }
  at(x, y) {
    let found = null, shown = this.top.children || [this.top];
    for (;;) {
      const inner = shown.find(({ rect }) => rect && x >= rect.x && x < rect.x + rect.w && y >= rect.y && y < rect.y + rect.h);
      if (!inner) return found;
      found = inner;
      if (!inner.children || inner.rect.w < 3 || inner.rect.h < 3) return found;
      shown = inner.children;
    }
  }
  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const found = this.at(event.clientX - box.left, event.clientY - box.top);
    if (!found) { tip.hidden = true; return; }
    if (found !== this.chosen) this.choose(found);
    tip.textContent = this.describe(found);
    tip.hidden = event.pointerType === "touch";
    const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 6);
    const below = event.clientY + 18 + tip.offsetHeight < innerHeight;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${below ? event.clientY + 18 : Math.max(4, event.clientY - tip.offsetHeight - 8)}px`;
  }
  choose(what) { if (!what) return; this.chosen = what; said.textContent = this.describe(what); view.choose?.(what); this.overlay(); }
  level(of) { let at = of; while (at.above && at.above !== this.top) at = at.above; return at; }
  show(top, chosen) { this.top = top; this.chosen = null; this.layout(); this.choose(chosen); }
  enter(what) { if (what && what.children && what.children.length) this.show(what, what.children[0]); }
  leave() { if (this.top.above) this.show(this.top.above, this.top); }
  trail() {
    this.where.textContent = "";
    const names = [];
    for (let at = this.top; at; at = at.above) names.unshift(at);
    names.forEach((at, number) => {
      const name = number ? at.name : this.map.top;
      if (number) this.where.append(" / ");
      if (number === names.length - 1) { this.where.append(`${name} · ${bytes(at.size)}`); return; }
      const button = this.where.appendChild(document.createElement("button"));
      button.textContent = name;
      button.onclick = () => this.show(at, names[number + 1]);
    });
  }
  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (moves[event.key]) this.move(...moves[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.enter(this.chosen && this.level(this.chosen));
    else if (event.key === "Escape" || event.key === "Backspace") this.leave();
    else if (event.key === "Home") this.show(this.root, this.root.children[0]);
    else return;
    tip.hidden = true;
    event.preventDefault();
  }
  move(right, down) {
    const shown = (this.top.children || [this.top]).filter(({ rect }) => rect);
    const from = this.chosen && this.level(this.chosen).rect;
    if (!from) { this.choose(shown[0]); return; }
    const middle = rect => [rect.x + rect.w / 2, rect.y + rect.h / 2], [x, y] = middle(from);
    let best = null, least = Infinity;
    for (const one of shown) {
      const [a, b] = middle(one.rect), ahead = (a - x) * right + (b - y) * down, aside = Math.abs((a - x) * down) + Math.abs((b - y) * right);
      if (one.rect === from || ahead <= .5) continue;
      if (ahead + 2 * aside < least) { least = ahead + 2 * aside; best = one; }
    }
    this.choose(best || this.level(this.chosen));
  }
  /* Marks what is found, and returns how much that is: each word is in the path, or the view says so. */
  search(words) {
    let files = 0, size = 0;
    const fits = (at, word) => at.lower.includes(word) || Boolean(view.matches?.(at, word));
    const visit = (at, above, lower) => {
      at.lower ??= (lower ? `${lower}/` : "") + at.name.toLowerCase();
      const here = above || words.every(word => fits(at, word));
      if (!at.children) { at.found = here; if (here) { files += at.files; size += at.size; } return here; }
      at.found = here;
      for (const inner of at.children) if (visit(inner, here, at.lower)) at.found = true;
      return at.found;
    };
    for (const top of this.root.children) visit(top, !words.length, "");
    this.draw();
    return { files, size };
  }
}

function legend() {
  const place = document.getElementById("legend");
  place.textContent = "";
  for (const [text, hue] of view.legend(mode)) {
    const entry = place.appendChild(document.createElement("span"));
    entry.appendChild(document.createElement("i")).style.background = colour(hue, true);
    entry.append(text);
  }
}

function start(given) {
  view = given; mode = view.mode;
  document.title = view.title;
  document.getElementById("title").textContent = view.heading;
  said.textContent = matchMedia("(hover: none)").matches
    ? "Tap to go in; the line above the picture leads out again."
    : "Arrow keys move, Enter goes in, Escape goes out, / searches.";
  const choice = document.getElementById("colour"), field = document.getElementById("search");
  field.placeholder = view.placeholder;
  field.setAttribute("aria-label", view.placeholder);
  for (const [name, text] of Object.entries(view.modes)) choice.add(new Option(`Colours ${text}`, name, name === mode, name === mode));
  maps = view.maps.map(map => new Treemap(map, document.getElementById("maps")));
  choice.onchange = () => { mode = choice.value; legend(); maps.forEach(map => map.draw()); };
  let waiting = 0;
  field.oninput = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const query = field.value.trim().toLowerCase();
      const found = maps.map(map => map.search(query ? query.split(/\s+/) : []));
      said.textContent = !query ? "" : found.map(({ files, size }, number) =>
        `${maps.length > 1 ? maps[number].map.name + ": " : ""}${several(files, "file")}, ${bytes(size)}`).join(" · ");
    }, 60);
  };
  field.onkeydown = event => {
    if (event.key === "Escape") { field.value = ""; field.oninput(); }
    if (event.key === "Escape" || event.key === "Enter") { event.preventDefault(); maps[0].canvas.focus(); }
  };
  addEventListener("keydown", event => {
    if (event.key === "/" && !(document.activeElement instanceof HTMLInputElement)) { event.preventDefault(); field.focus(); field.select(); }
  });
  dark.addEventListener("change", () => { legend(); maps.forEach(map => map.draw()); });
  legend();
}
