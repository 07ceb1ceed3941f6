import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { devices, expect, test } from "@playwright/test";

let server: Server;

test.beforeAll(async () => {
  server = createServer((_, response) => response.end('{"apples": 3}'));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});

test.afterAll(() => void server.close());

test("a server is asked without a browser", async ({ request }) => {
  const answer = await request.get(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await expect(answer).toBeOK();
  expect(await answer.json()).toEqual({ apples: 3 });
});

test("devices are known", () => {
  expect(devices["Desktop Chrome"].viewport).toEqual({ width: 1280, height: 720 });
});
