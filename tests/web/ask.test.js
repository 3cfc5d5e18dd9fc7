import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { ask, imagePath, prepared, Refused, Unreachable } from "../../serving/web/ask.js";

/** @type {import("node:http").RequestListener} */
let answering = (_, response) => response.end();
const server = createServer((request, response) => answering(request, response));
const browsers = globalThis.fetch;

before(async () => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  // Pages ask for paths of their own service.
  globalThis.fetch = (path, options) => browsers(`http://127.0.0.1:${port}${path}`, options);
});
after(() => {
  globalThis.fetch = browsers;
  server.close();
});

test("what a worker has to prepare is asked for until it is there", async () => {
  /** @type {string[]} */
  const asked = [];
  answering = (request, response) => {
    asked.push(`${request.url} ${request.headers.prefer}`);
    response.statusCode = asked.length < 2 ? 202 : 200;
    response.end(asked.length < 2 ? '{"state": "waiting"}' : "pixels");
  };
  const answer = await prepared(`${imagePath("D1", "it's 50%")}/pixels`);
  assert.equal(await answer.text(), "pixels");
  const path = "/api/v1/images/D1/it's%2050%25/pixels wait=20";
  assert.deepEqual(asked, [path, path]);
});

test("a refusal says what the service says, and is no matter of waiting", async () => {
  answering = (_, response) => {
    response.writeHead(404, { ETag: '"3"' });
    response.end('{"detail": "D9: no such dataset."}');
  };
  const refused = await prepared("/images/D9/a/pixels").catch((error) => error);
  assert.ok(refused instanceof Refused);
  assert.deepEqual([refused.status, refused.message, refused.etag], [404, "D9: no such dataset.", '"3"']);
});

test("a service that is busy or gone can be asked later", async () => {
  answering = (_, response) => {
    response.writeHead(503);
    response.end('{"detail": "No worker runs."}');
  };
  const busy = await ask("GET", "/models").catch((error) => error);
  assert.ok(busy instanceof Unreachable);
  assert.equal(busy.message, "No worker runs.");
  answering = (request) => request.socket.destroy();
  const gone = await ask("GET", "/models").catch((error) => error);
  assert.ok(gone instanceof Unreachable);
  assert.match(gone.message, /cannot be reached/);
});

test("waiting ends when nobody wants the answer any more", async () => {
  answering = (_, response) => {
    response.statusCode = 202;
    response.end("{}");
  };
  const left = new AbortController();
  const waiting = prepared("/images/D1/a/pixels", left.signal);
  left.abort();
  await assert.rejects(waiting, { name: "AbortError" });
});
