-- The product's tables, for SQLite and for PostgreSQL.
-- Nothing is deleted: a row whose state is 'absent' keeps its place in the order of events, so that
-- an older event that comes late does not bring it back.
CREATE TABLE IF NOT EXISTS users (
  tenant TEXT NOT NULL, id TEXT NOT NULL, user_name TEXT, email TEXT,
  state TEXT NOT NULL, -- provisioned, suspended, suspended_with_expiry, deleted, unmanaged, absent
  active BOOLEAN GENERATED ALWAYS AS (state IN ('provisioned', 'unmanaged')) STORED, -- who is in
  version BIGINT, epoch BIGINT NOT NULL, seq TEXT NOT NULL, time TEXT NOT NULL,
  PRIMARY KEY (tenant, id));
CREATE TABLE IF NOT EXISTS groups (
  tenant TEXT NOT NULL, id TEXT NOT NULL, display_name TEXT,
  state TEXT NOT NULL, -- present, absent
  version BIGINT, epoch BIGINT NOT NULL, seq TEXT NOT NULL, time TEXT NOT NULL,
  PRIMARY KEY (tenant, id));
CREATE TABLE IF NOT EXISTS memberships (
  tenant TEXT NOT NULL, group_id TEXT NOT NULL, member_id TEXT NOT NULL,
  state TEXT NOT NULL, -- present, absent
  version BIGINT, epoch BIGINT NOT NULL, seq TEXT NOT NULL, time TEXT NOT NULL,
  PRIMARY KEY (tenant, group_id, member_id));
-- A deleted group has no members, in whatever order its events and theirs come.
DROP VIEW IF EXISTS members;
CREATE VIEW members AS SELECT tenant, group_id, member_id FROM memberships
  WHERE state = 'present' AND NOT EXISTS (SELECT 1 FROM groups WHERE groups.state = 'absent'
    AND groups.tenant = memberships.tenant AND groups.id = memberships.group_id);

-- What a resync has shown so far, and what it covers. A subject is 'User/ID', 'Group/ID',
-- 'Member/GROUP/MEMBER', or 'started' or 'finished'; a scope is a subject, 'all' or 'since'.
CREATE TABLE IF NOT EXISTS heard (
  tenant TEXT NOT NULL, name TEXT NOT NULL, resync TEXT NOT NULL, subject TEXT NOT NULL,
  time TEXT NOT NULL, total BIGINT, at BIGINT NOT NULL, PRIMARY KEY (resync, subject));
CREATE TABLE IF NOT EXISTS scopes (
  resync TEXT NOT NULL, subject TEXT NOT NULL, PRIMARY KEY (resync, subject));
DROP VIEW IF EXISTS resyncs;
CREATE VIEW resyncs AS SELECT tenant, resync, MAX(name) AS name, MAX(at) AS at,
    MAX(total) AS total, MAX(CASE WHEN subject = 'started' THEN time END) AS started,
    SUM(CASE WHEN subject IN ('started', 'finished') THEN 0 ELSE 1 END) AS seen
  FROM heard GROUP BY tenant, resync;
-- The resyncs that are complete: 'done' is 0 until what they did not show has been dropped.
CREATE TABLE IF NOT EXISTS settled (
  tenant TEXT NOT NULL, resync TEXT NOT NULL, subject TEXT NOT NULL, started TEXT NOT NULL,
  done BIGINT NOT NULL, PRIMARY KEY (tenant, resync, subject));
CREATE INDEX IF NOT EXISTS settled_done ON settled (done);

-- The resyncs that are needed, since when, and when they were asked for last.
CREATE TABLE IF NOT EXISTS wanted (
  tenant TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL, time TEXT NOT NULL,
  asked BIGINT NOT NULL, PRIMARY KEY (tenant, subject));
