// The built Lambda function, on a real PostgreSQL behind what answers like the Data API.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { RDSDataClient, type Field, type SqlParameter } from "@aws-sdk/client-rds-data";
import { PGlite } from "@electric-sql/pglite";
import { statements, type Db, type Row } from "./consumer.ts";
import type { ScimEvent } from "./events.ts";
import { tables } from "./tables.ts";

Object.assign(process.env, { CLUSTER: "arn:cluster", SECRET: "arn:secret", DATABASE: "product" });
process.env.AWS_REGION ??= "eu-west-1";
type Handler = (event: { "detail-type": string; detail?: ScimEvent }) => Promise<void>;
const built = "./dist/consumer/handler.mjs";
const { handler } = (await import(built)) as { handler: Handler };

const postgres = await PGlite.create();
for (const sql of statements("schema.sql")) await postgres.exec(sql);
const db: Db = async (sql, values = {}) => {
  const names = Object.keys(values);
  const numbered = sql.replace(/:([a-z_]+)/g, (_, name: string) => {
    assert(names.includes(name), `${name} has no value`);
    return `$${names.indexOf(name) + 1}`;
  });
  return (await postgres.query<Row>(numbered, Object.values(values))).rows;
};

let open = 0;
let failing = "";
type Input = { sql: string; parameters: SqlParameter[]; transactionId?: string } & Target;
type Target = { resourceArn: string; secretArn: string; database?: string };
RDSDataClient.prototype.send = async function (command: { constructor: Function; input: Input }) {
  const { sql, parameters, transactionId, ...target } = command.input;
  const { name } = command.constructor;
  assert.equal(target.database, /^(Begin|Execute)/.test(name) ? "product" : undefined);
  assert.deepEqual([target.resourceArn, target.secretArn], ["arn:cluster", "arn:secret"]);
  switch (name) {
    case "BeginTransactionCommand":
      assert.equal(open++, 0);
      await postgres.exec("BEGIN");
      return { transactionId: "one" };
    case "CommitTransactionCommand": case "RollbackTransactionCommand":
      assert.equal(--open, 0);
      return postgres.exec(name.startsWith("Commit") ? "COMMIT" : "ROLLBACK");
    default: {
      assert.equal(transactionId, "one");
      if (failing && sql.includes(failing)) throw Error("the database is away");
      const rows = await db(sql, Object.fromEntries(parameters.map(valueOf)));
      const names = Object.keys(rows[0] ?? {});
      return { columnMetadata: names.map((name) => ({ name })),
        records: rows.map((row) => names.map((name) => fieldOf(row[name]))) };
    }
  }
} as never;

function valueOf({ name, value }: SqlParameter): [string, Row[string]] {
  assert.equal(Object.keys(value!).length, 1);
  return [name!, value!.isNull ? null : (value!.longValue ?? value!.stringValue!)];
}

function fieldOf(value: unknown): Field {
  if (value === null) return { isNull: true };
  if (typeof value === "boolean") return { booleanValue: value };
  return typeof value === "number" ? { longValue: value } : { stringValue: String(value) };
}

const send = (detail: ScimEvent) => handler({ "detail-type": detail.type, detail });
const settle = () => handler({ "detail-type": "Scheduled Event" });
/** The second run drops what a resync did not show. */
const settleTwice = () => settle().then(settle);

function life(seed: number): { events: ScimEvent[]; truth: Record<string, Row[]> } {
  const options = { encoding: "utf8" as const, maxBuffer: 1 << 26 };
  return JSON.parse(execFileSync("python3", ["../simulation.py", String(seed)], options));
}

test("a life converges on PostgreSQL", async () => {
  const truth: Record<string, Row[]> = { users: [], memberships: [], groups: [] };
  for (const seed of [1, 2, 3]) {
    const { events, truth: own } = life(seed);
    for (const event of events) await send(event);
    await settleTwice();
    for (const table in truth) truth[table]!.push(...own[table]!);
  }
  const kept = await tables(db);
  for (const table in truth) assert.deepEqual(kept[table], truth[table], table);
});

test("what fails is rolled back and thrown, so that Lambda tries again", async () => {
  const { events, truth } = life(4);
  failing = "INSERT INTO";
  for (const event of events) if ("resync" in event) await assert.rejects(send(event), /away/);
  failing = "";
  for (const event of events) await send(event);
  await settleTwice();
  const users = (await tables(db)).users as Row[];
  assert.deepEqual(users.filter((user) => user.tenant === "t0000004"), truth.users);
});

test("an event that did not see the end of a resync brings nobody back", async () => {
  const { events, truth } = life(5);
  for (const event of events) await send(event);
  await settle();
  // Its transaction had begun before the resync was complete, and commits now.
  const started = events.find((event) => event.type === "resync.started")!.time!;
  await db(`INSERT INTO users (tenant, id, state, epoch, seq, time)
    VALUES (:tenant, 'ghost', 'provisioned', 0, '0', :time)`, { tenant: "t0000005", time: started });
  await settle();
  const users = (await tables(db)).users as Row[];
  assert.deepEqual(users.filter((user) => user.tenant === "t0000005"), truth.users);
});

test("an event from before a resync does not bring back who was dropped", async () => {
  const { events } = life(6);
  const user = events.find((event) => event.type === "user.provisioned")!;
  const ghost = { ...user, subject: { ...user.subject, id: "ghost" } } as ScimEvent;
  for (const event of [ghost, ...events]) await send(event);
  await settleTwice();
  await send({ ...ghost, seq: "9".repeat(40) } as ScimEvent);
  const users = (await tables(db)).users as Row[];
  assert(!users.some((one) => one.tenant === "t0000006" && one.id === "ghost"));
});
