// A Lambda function on the event bus of scim-lambda, which keeps the tables in Aurora PostgreSQL.
import {
  BeginTransactionCommand, CommitTransactionCommand, ExecuteStatementCommand, RDSDataClient,
  RollbackTransactionCommand, type Field, type SqlParameter,
} from "@aws-sdk/client-rds-data";
import type { EventBridgeEvent } from "aws-lambda";
import { apply, settle, type Db, type Row } from "./consumer.ts";
import type { ScimEvent } from "./events.ts";

const { CLUSTER: resourceArn, SECRET: secretArn, DATABASE: database } = process.env;
const target = { resourceArn, secretArn };
const client = new RDSDataClient({});

/** Keeps one event, or looks after the resyncs when it is time. If it fails, Lambda tries again. */
export async function handler(event: EventBridgeEvent<string, ScimEvent>): Promise<void> {
  const { transactionId } = await client.send(new BeginTransactionCommand({ ...target, database }));
  const db: Db = async (sql, values = {}) => {
    const statement = { ...target, database, transactionId, sql, includeResultMetadata: true,
      parameters: Object.entries(values).map(parameter) };
    const { records, columnMetadata } = await client.send(new ExecuteStatementCommand(statement));
    const name = (column: number) => columnMetadata?.[column]?.name ?? "";
    return records?.map((fields) => Object.fromEntries(fields.map((field, column) =>
      [name(column), valueOf(field)]))) ?? [];
  };
  try {
    const isTime = event["detail-type"] === "Scheduled Event";
    const needed = isTime ? await settle(db) : (await apply(db, event.detail), []);
    await client.send(new CommitTransactionCommand({ ...target, transactionId }));
    for (const words of needed) console.log("needed: scimctl", ...words);
  } catch (error) {
    await client.send(new RollbackTransactionCommand({ ...target, transactionId }));
    throw error;
  }
}

function parameter([name, value]: [string, Row[string]]): SqlParameter {
  if (value === null) return { name, value: { isNull: true } };
  return { name, value: typeof value === "number" ? { longValue: value } : { stringValue: value } };
}

function valueOf(field: Field): Row[string] {
  return field.isNull ? null : (field.longValue ?? field.stringValue ?? Number(field.booleanValue));
}
