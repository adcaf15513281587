// Keeps a product's tables by the events of scim-lambda. All SQL runs on SQLite and on PostgreSQL.
import { readFileSync } from "node:fs";
import type { ScimEvent } from "./events.ts";

export type Row = Record<string, string | number | null>;
/** Runs a statement with named values, and returns its rows. */
export type Db = (sql: string, values?: Row) => Row[] | Promise<Row[]>;
type Of<T extends string> = Extract<ScimEvent, { type: T }>;
type Heard = Of<`resync.${string}` | `${string}snapshot`>;
type Person = { userName?: string; emails?: { value?: string; primary?: boolean }[] } | undefined;

/** The statements of a file beside the examples. */
export function statements(file: string): string[] {
  const text = readFileSync(new URL(`../${file}`, import.meta.url), "utf8").replace(/-- .*/g, "");
  return text.split(";").filter((sql) => sql.trim());
}

/** Applies an event in the caller's transaction. An older or repeated event changes nothing. */
export async function apply(db: Db, event: ScimEvent): Promise<void> {
  const tenant = event.tenant?.code;
  if (event.spec !== 1 || !tenant) return ignore(event);
  switch (event.type) {
    case "user.provisioned": case "user.imported": case "user.linked": case "user.updated":
    case "user.renamed": case "user.suspended": case "user.reactivated": case "user.deleted":
    case "user.restored": case "user.purged": case "user.released": case "user.snapshot": {
      const [person, { id, userName }] = [event.data as Person, event.subject];
      const email = person?.emails?.find((one) => one.primary) ?? person?.emails?.[0];
      return keep(db, event, "users", { tenant, id }, event.state, {
        user_name: person?.userName ?? userName, email: person && (email?.value ?? null) });
    }
    case "group.created": case "group.updated": case "group.deleted": case "group.snapshot": {
      const { id, displayName } = event.subject;
      const state = event.type === "group.deleted" ? "absent" : "present";
      return keep(db, event, "groups", { tenant, id }, state, { display_name: displayName });
    }
    case "group.member_added": case "group.member_removed": case "group.member_snapshot": {
      const { id, group: group_id, member: member_id = id } = event.subject;
      const state = event.type === "group.member_removed" ? "absent" : "present";
      return keep(db, event, "memberships", { tenant, group_id, member_id }, state);
    }
    case "resync.started": case "resync.finished": return hear(db, event, event.type.slice(7));
    case "resource.snapshot": return hear(db, event, `${event.subject.type}/${event.subject.id}`);
    case "record.unshaped": return want(db, event, "all");
    default: return ignore(event);
  }
}

const ignore = ({ type, spec }: ScimEvent) =>
  console.error(`ignored ${type}${spec === 1 ? "" : ` of spec ${spec}`}`);

/** Keeps a row by the newest event of its subject. What the event leaves out stays as it was. */
async function keep(db: Db, event: Of<`user.${string}` | `group.${string}`>, table: string,
  key: Row, state: string, shown: Record<string, string | null | undefined> = {}): Promise<void> {
  const [keys, { version, epoch, seq }, time] = [Object.keys(key), event, event.time ?? ""];
  const where = keys.map((name) => `${name} = :${name}`).join(" AND ");
  const [old] = await db(`SELECT version FROM ${table} WHERE ${where}`, key);
  const row: Row = { ...key, state, version, epoch, seq, time };
  for (const [name, value] of Object.entries(shown))
    if (state === "absent" || value !== undefined) row[name] = state === "absent" ? null : value!;
  const names = Object.keys(row);
  const isGone = `EXISTS (SELECT 1 FROM settled
    WHERE tenant = :tenant AND subject = 'all' AND started >= :time)`;
  const kept = !old && (await db(`SELECT 1 WHERE ${isGone}`, { tenant: key.tenant!, time })).length
    ? [] : await db(`INSERT INTO ${table} (${names}) VALUES (${names.map((name) => `:${name}`)})
      ON CONFLICT (${keys}) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`)}
      WHERE (excluded.epoch, excluded.seq) > (${table}.epoch, ${table}.seq)
        AND NOT (${table}.state = 'absent' AND ${isGone}) RETURNING seq`, row);
  const subject = [event.subject.type, ...Object.values(key).slice(1)].join("/");
  if ("resync" in event) return hear(db, event, subject);
  if (kept.length && event.previousVersion !== (old?.version ?? null)) // an event is missing
    return want(db, event, subject);
}

/** Notes what a resync says; settle.sql draws the conclusions. */
async function hear(db: Db, event: Heard, subject: string): Promise<void> {
  const [{ resync }, time, at] = [event, event.time ?? "", Date.now()];
  const counts = event.type === "resync.finished" ? event.data?.counts : undefined;
  const total = counts ? counts.users + counts.groups + counts.members + counts.resources : null;
  await db(`INSERT INTO heard VALUES (:tenant, :name, :resync, :subject, :time, :total, :at)
    ON CONFLICT DO NOTHING`, { ...tenantOf(event), resync, subject, time, total, at });
  if (!("scope" in event)) return;
  const { kind, ids } = event.scope;
  for (const subject of ids?.map((id) => `${kind === "users" ? "User" : "Group"}/${id}`) ?? [kind])
    await db("INSERT INTO scopes VALUES (:resync, :subject) ON CONFLICT DO NOTHING",
      { resync, subject });
}

/** Notes that a resync of this subject is needed. */
async function want(db: Db, event: ScimEvent, subject: string): Promise<void> {
  await db(`INSERT INTO wanted VALUES (:tenant, :subject, :name, :time, 0) ON CONFLICT
    (tenant, subject) DO UPDATE SET time = excluded.time WHERE excluded.time > wanted.time`,
    { ...tenantOf(event), subject, time: event.time ?? "" });
}

const tenantOf = ({ tenant }: ScimEvent) =>
  ({ tenant: tenant!.code, name: tenant!.name ?? tenant!.code });
const SETTLE = statements("settle.sql");

/** Brings resyncs to their end. Returns the arguments of scimctl for those that are needed now. */
export async function settle(db: Db, now: number = Date.now()): Promise<string[][]> {
  let rows: Row[] = [];
  for (const sql of SETTLE) rows = await db(sql, sql.includes(":now") ? { now } : {});
  const asked: Record<string, string[]> = {};
  for (const { tenant, name, option } of rows)
    (asked[tenant!] ??= ["events", "resync", `${name}`]).push(...`${option}`.match(/\S+/g) ?? []);
  return Object.values(asked);
}
