// A server with two template engines, files of a package, a log; and questions to it.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import compression from "compression";
import express from "express";
import morgan from "morgan";
import serveIndex from "serve-index";

const app = express();
app.use(morgan(":method :url :status"), compression(), express.json());
app.set("view engine", "ejs");
app.get("/ejs", (_, response) => response.render("one.ejs", { name: "apples" }));
app.get("/pug", (_, response) => response.render("two.pug", { name: "pears" }));
app.post("/echo", (request, response) => response.json(request.body));
app.use("/package", express.static("node_modules/ejs"), serveIndex("node_modules/ejs"));
app.use("/real", express.static(dirname(fileURLToPath(import.meta.resolve("ejs")))));
app.get("/sent", (_, response) => response.sendFile("ejs.js", { root: "node_modules/ejs" }));

const server = app.listen(0, "127.0.0.1", async () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  const posted = { method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}' };
  for (const path of ["/ejs", "/pug", "/package/ejs.js", "/package/", "/package/lib", "/sent", "/nothing"]) {
    const answer = await fetch(base + path);
    console.log(path, answer.status, (await answer.text()).length > 100);
  }
  console.log(await (await fetch(`${base}/echo`, posted)).text());
  server.close();
});
