-- Run every few seconds, in one transaction. Times of our own are milliseconds since 1970.

-- What is in the scope of a resync, and was neither shown nor changed since, no longer exists. A
-- resync of what changed since a time shows each group with all of its members. The run before has
-- found the resync complete: an event that could not see that is in the tables and dropped here,
-- if more time lies between two runs than a transaction takes.
UPDATE users SET state = 'absent', version = NULL, user_name = NULL, email = NULL
  WHERE state <> 'absent' AND EXISTS (SELECT 1 FROM settled s
    WHERE s.done = 0 AND s.tenant = users.tenant AND users.time <= s.started
      AND s.subject IN ('all', 'User/' || users.id) AND NOT EXISTS (
        SELECT 1 FROM heard h WHERE h.resync = s.resync AND h.subject = 'User/' || users.id));
UPDATE groups SET state = 'absent', version = NULL, display_name = NULL
  WHERE state <> 'absent' AND EXISTS (SELECT 1 FROM settled s
    WHERE s.done = 0 AND s.tenant = groups.tenant AND groups.time <= s.started
      AND s.subject IN ('all', 'Group/' || groups.id) AND NOT EXISTS (
        SELECT 1 FROM heard h WHERE h.resync = s.resync AND h.subject = 'Group/' || groups.id));
UPDATE memberships SET state = 'absent'
  WHERE state <> 'absent' AND EXISTS (SELECT 1 FROM settled s
    WHERE s.done = 0 AND s.tenant = memberships.tenant AND memberships.time <= s.started
      AND (s.subject IN ('all', 'Group/' || group_id, 'User/' || member_id)
        OR s.subject = 'since' AND EXISTS (SELECT 1 FROM heard h
          WHERE h.resync = s.resync AND h.subject = 'Group/' || group_id))
      AND NOT EXISTS (SELECT 1 FROM heard h
        WHERE h.resync = s.resync AND h.subject = 'Member/' || group_id || '/' || member_id));
UPDATE settled SET done = 1 WHERE done = 0;
DELETE FROM heard WHERE resync IN (SELECT resync FROM settled WHERE done = 1);
DELETE FROM scopes WHERE resync IN (SELECT resync FROM settled WHERE done = 1);

-- A resync is complete when all snapshots that it counted have come, in whatever order.
INSERT INTO settled SELECT r.tenant, r.resync, s.subject, r.started, 0
  FROM resyncs r JOIN scopes s ON s.resync = r.resync
  WHERE r.started IS NOT NULL AND r.seen >= r.total ON CONFLICT DO NOTHING;
UPDATE wanted SET asked = 0 WHERE EXISTS (SELECT 1 FROM settled s WHERE s.tenant = wanted.tenant
  AND s.done = 0 AND s.subject IN ('all', wanted.subject));

-- A resync that has been silent for five minutes has lost something: ask for another one.
INSERT INTO wanted SELECT r.tenant, CASE WHEN s.subject = 'since' THEN 'all'
    ELSE COALESCE(s.subject, 'all') END AS subject, MAX(r.name), MAX(COALESCE(r.started, '')), 0
  FROM resyncs r LEFT JOIN scopes s ON s.resync = r.resync
  WHERE r.at + 300000 < :now AND r.resync NOT IN (SELECT resync FROM settled)
  GROUP BY 1, 2 ON CONFLICT (tenant, subject) DO UPDATE SET asked = 0;
INSERT INTO settled SELECT r.tenant, r.resync, 'incomplete', '', 1 FROM resyncs r
  WHERE r.at + 300000 < :now AND r.resync NOT IN (SELECT resync FROM settled);

-- What was wanted before a resync began is answered; what has been wanted since is asked for again.
DELETE FROM wanted WHERE EXISTS (SELECT 1 FROM settled s WHERE s.tenant = wanted.tenant
  AND s.started > wanted.time AND s.subject IN ('all', wanted.subject));

-- Ask for what was never asked for, or asked for an hour ago in vain. More than ten subjects of a
-- tenant are asked for as a whole.
INSERT INTO wanted SELECT tenant, 'all', MAX(name), MAX(time), 0 FROM wanted
  GROUP BY tenant HAVING COUNT(*) > 10 ON CONFLICT DO NOTHING;
UPDATE wanted SET asked = :now WHERE asked + 3600000 < :now AND (subject = 'all' OR NOT EXISTS (
    SELECT 1 FROM wanted w WHERE w.tenant = wanted.tenant AND w.subject = 'all'))
  RETURNING tenant, name, CASE subject WHEN 'all' THEN ''
    ELSE REPLACE(REPLACE(subject, 'User/', '--user '), 'Group/', '--group ') END AS option;
