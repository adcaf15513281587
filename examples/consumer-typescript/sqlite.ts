// The product's tables in a SQLite file.
import { DatabaseSync } from "node:sqlite";
import { statements, type Db, type Row } from "./consumer.ts";

/** Opens the file. What it returns runs work, one after the other, each in its own transaction. */
export function open(file: string): <T>(work: (db: Db) => Promise<T>) => Promise<T> {
  const sqlite = new DatabaseSync(file, { timeout: 5_000 });
  const schema = statements("schema.sql").join(";");
  sqlite.exec(`PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; ${schema}; COMMIT`);
  const db: Db = (sql, values = {}) => sqlite.prepare(sql).all(values) as Row[];
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.catch(() => {}).then(() => sqlite.exec("BEGIN IMMEDIATE"))
      .then(() => work(db)).then((done) => (sqlite.exec("COMMIT"), done))
      .finally(() => sqlite.isTransaction && sqlite.exec("ROLLBACK")); // if something has failed
    return (last = result);
  };
}
