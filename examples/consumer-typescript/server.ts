// Receives the events as webhooks, and keeps the tables in SQLite.
import { spawn } from "node:child_process";
import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";
import { apply, settle } from "./consumer.ts";
import { open } from "./sqlite.ts";

/** Whether a webhook is signed as Standard Webhooks says, at most five minutes ago. */
function verify(key: string, headers: IncomingHttpHeaders, body: Buffer): boolean {
  const header = (name: string) => String(headers[`webhook-${name}`]);
  const hmac = createHmac("sha256", Buffer.from(key, "base64"));
  const right = hmac.update(`${header("id")}.${header("timestamp")}.`).update(body).digest();
  const isRight = (given: Buffer) => given.length === right.length && timingSafeEqual(given, right);
  return Math.abs(Date.now() / 1000 - Number(header("timestamp"))) <= 300
    && header("signature").split(" ").some((signature) => signature.startsWith("v1,")
      && isRight(Buffer.from(signature.slice(3), "base64")));
}

/** The answer's status: 2xx only when the event is stored. After any other, it is sent again. */
async function receive(request: IncomingMessage): Promise<number> {
  if (request.method !== "POST") return 405;
  if (!(Number(request.headers["content-length"]) <= 1 << 20)) return 413;
  const body = await buffer(request);
  if (!verify(key, request.headers, body))
    return console.error("refused: the signature does not fit WEBHOOK_SECRET, or is old"), 401;
  await transaction(async (db) => apply(db, JSON.parse(body.toString())));
  return 204;
}

/** Says which resyncs are needed, and runs them if RESYNC is, say, "scimctl --data .scim". */
async function ask(): Promise<void> {
  const [tool, ...args] = RESYNC.split(" ");
  for (const words of await transaction(settle)) {
    console.log("needed: scimctl", ...words);
    const run = () => once(spawn(tool!, [...args, ...words], { stdio: "inherit" }), "exit");
    if (tool) last = last.then(run).catch(say); // one after the other
  }
}

const say = (error: unknown) => console.error(`resyncs: ${error}`);
let last: Promise<unknown> = Promise.resolve();
const { DATABASE = "product.db", PORT = "9000", WEBHOOK_SECRET = "", RESYNC = "" } = process.env;
const key = /^whsec_([A-Za-z0-9+/]{43}=?)$/.exec(WEBHOOK_SECRET)?.[1] ?? process.exit(
  (console.error("WEBHOOK_SECRET is missing or not complete; copy all of it, from whsec_ on"), 1));
const transaction = open(DATABASE);
setInterval(() => ask().catch(say), 2_000);
createServer(async (request, response) => {
  const status = await receive(request).catch((error: unknown) => (console.error(error), 500));
  response.writeHead(status).end();
}).listen(Number(PORT), "127.0.0.1", () => console.log(`receiving on port ${PORT}`));
