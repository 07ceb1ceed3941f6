// Asks a server for development for what a browser would load: the page, a module, a package that it has bundled.
import { createServer } from "vite";

const server = await createServer({ logLevel: "error", server: { port: 0, host: "127.0.0.1", hmr: { port: 0 } } });
await server.listen();
const base = `http://127.0.0.1:${server.httpServer.address().port}`;
const same = (text) => text.replace(/\?v=[0-9a-f]+/g, "?v").replace(/sourceMappingURL=\S+/g, "");
const main = await (await fetch(`${base}/src/main.tsx`)).text();
console.log((await fetch(base, { headers: { accept: "text/html" } })).status, same(main).length);
for (const [, path] of main.matchAll(/from "(\/[^"]+)"/g)) {
  const answer = await fetch(base + path);
  console.log(path.replace(/\?v=[0-9a-f]+/, ""), answer.status, (await answer.text()).length > 0);
}
await server.close();
process.exit(0);
