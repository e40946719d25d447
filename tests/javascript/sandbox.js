// A sandbox in its own process, a subscriber, and waiting for conditions.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const ROOT = new URL("../..", import.meta.url);
const PYTHON = process.env.PYTHON ?? "python3";

/** Start a sandbox; its `api` address, `tell(path, members)` for its control API, and `stop()`. */
export async function startSandbox() {
  const words = ["-m", "sandbox", "--port", "0", "--media-port", "0", "--refresh-tokens"];
  const child = spawn(PYTHON, [...words, "--aggregation", "0"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface(child.stdout), "line");
  const [, api] = line.match(/API (\S+), media (\S+)/);
  return {
    api,
    async tell(path, members) {
      const answer = await fetch(`${api}/sandbox/${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(members),
      });
      if (!answer.ok) throw new Error(await answer.text());
      return answer.json();
    },
    async stop() {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

/** A willing subscriber: its `address`, the `notifications` it was told, and `stop()`. */
export async function startSubscriber() {
  const notifications = [];
  const server = createServer(async (request, answer) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    if (body) notifications.push(JSON.parse(body));
    const token = request.headers["validation-token"];
    answer.writeHead(200, {
      "Content-Type": "application/json",
      ...(token && { "Validation-Token": token }),
    });
    answer.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = `http://127.0.0.1:${server.address().port}/webhook`;
  return { address, notifications, stop: () => server.close() };
}

/** Wait until a condition holds. */
export async function eventually(condition) {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not true within 10 s: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
