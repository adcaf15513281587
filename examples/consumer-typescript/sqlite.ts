// The product's tables in a SQLite file.
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { statements, type Db, type Row } from "./consumer.ts";

/** Opens the file. What it returns runs work, one after the other, each in its own transaction. */
export function open(file: string): <T>(work: (db: Db) => Promise<T>) => Promise<T> {
  const sqlite = new DatabaseSync(file, { timeout: 5_000 });
  const prepared = new Map<string, StatementSync>();
  for (const sql of ["PRAGMA journal_mode = WAL", ...statements("schema.sql")]) sqlite.exec(sql);
  const db: Db = (sql, values = {}) => {
    if (!prepared.has(sql)) prepared.set(sql, sqlite.prepare(sql));
    return prepared.get(sql)!.all(values) as Row[];
  };
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const begin = () => sqlite.exec("BEGIN IMMEDIATE");
    const result = last.catch(() => {}).then(begin).then(() => work(db));
    last = result.then(() => sqlite.exec("COMMIT"), () => sqlite.exec("ROLLBACK"));
    return last.then(() => result);
  };
}
