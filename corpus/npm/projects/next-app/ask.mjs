// Serves what was built, and asks for two of its pages.
import { createServer } from "node:http";
import next from "next";

const app = next({ dev: false, dir: process.cwd() });
await app.prepare();
const handle = app.getRequestHandler();
const server = createServer((request, response) => handle(request, response));
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const base = `http://127.0.0.1:${server.address().port}`;
for (const path of ["/", "/api/stock"]) {
  const answer = await fetch(base + path);
  const text = await answer.text();
  console.log(path, answer.status, text.length, /3<!-- --> in the basket|apples/.test(text));
}
process.exit(0);
