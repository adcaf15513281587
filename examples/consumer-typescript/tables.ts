// Prints the tables of a product as JSON, for people and for tests: those of DATABASE, or with
// --replay those that the events on standard input lead to, one a line. A line with a number lets
// this number of seconds pass. There, at an empty line and at the end, what has come is settled, and
// the commands that are needed then are printed too.
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { apply, settle, type Db, type Row } from "./consumer.ts";
import { open } from "./sqlite.ts";
import type { ScimEvent } from "./events.ts";

const BATCH = 1_000;
/** When everything that could be late is late. */
const END = 2 ** 52;

export async function tables(db: Db): Promise<Record<string, object[]>> {
  const users = await db(`SELECT tenant, id, user_name AS "userName", active, state, version
    FROM users WHERE state <> 'absent' ORDER BY tenant, id`);
  const groups = await db(`SELECT tenant, id, display_name AS "displayName", version
    FROM groups WHERE state <> 'absent' ORDER BY tenant, id`);
  const memberships = await db(`SELECT tenant, group_id AS "group", member_id AS member
    FROM members ORDER BY tenant, group_id, member_id`);
  const wanted = await db("SELECT tenant, subject FROM wanted ORDER BY tenant, subject");
  const shown = users.map((user) => ({ ...user, active: Boolean(user.active) }));
  return { users: shown, memberships, groups, wanted };
}

/** Opens the file of a consumer, which may be running, and changes nothing. */
function read(file: string): Db {
  if (!existsSync(file)) {
    console.error(`there is no ${file} here; run this where the consumer runs`);
    process.exit(1);
  }
  const sqlite = new DatabaseSync(file, { readOnly: true });
  sqlite.exec("BEGIN"); // all tables as they are at one time
  return (sql) => sqlite.prepare(sql).all() as Row[];
}

/** Keeps the events on standard input as a consumer does whose clock they set. */
async function replay(): Promise<Record<string, object[]>> {
  const [transaction, asked] = [open(":memory:"), [] as string[][]];
  const now = Date.now;
  let passed = 0;
  Date.now = () => now() + passed;
  const batch: ScimEvent[] = [];
  const flush = () => transaction(async (db) => {
    for (const event of batch.splice(0)) await apply(db, event);
  });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.startsWith("{")) {
      if (batch.push(JSON.parse(line)) === BATCH) await flush();
      continue;
    }
    await flush();
    passed += Number(line) * 1_000;
    asked.push(...await transaction((db) => settle(db)));
  }
  await flush();
  // The second run drops what the resyncs did not show.
  for (const run of [0, 1]) asked.push(...await transaction((db) => settle(db, END + run)));
  return { ...await transaction(tables), asked };
}

if (import.meta.main) {
  const isReplay = process.argv.includes("--replay");
  const shown = isReplay ? replay() : tables(read(process.env.DATABASE ?? "product.db"));
  console.log(JSON.stringify(await shown, null, isReplay ? 0 : 2));
}
