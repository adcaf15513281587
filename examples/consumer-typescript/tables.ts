// Prints the tables of a product as JSON, for people and for tests: those of DATABASE, or with
// --replay those that the events on standard input lead to, one a line. At an empty line time
// passes, so that what has come so far is settled.
import { createInterface } from "node:readline";
import { apply, settle, type Db } from "./consumer.ts";
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

async function main(): Promise<void> {
  const replaying = process.argv.includes("--replay");
  const transaction = open(replaying ? ":memory:" : (process.env.DATABASE ?? "product.db"));
  const batch: ScimEvent[] = [];
  const flush = () => transaction(async (db) => {
    for (const event of batch.splice(0)) await apply(db, event);
  });
  if (replaying) {
    for await (const line of createInterface({ input: process.stdin })) {
      if (line === "") await flush().then(() => transaction((db) => settle(db)));
      else if (batch.push(JSON.parse(line)) === BATCH) await flush();
    }
    await flush().then(() => transaction((db) => settle(db, END)));
  }
  console.log(JSON.stringify(await transaction(tables), null, replaying ? 0 : 2));
}

if (import.meta.main) await main();
