-- Run every few seconds, in one transaction. Times of our own are milliseconds since 1970.

-- A resync is complete when all snapshots that it counted have come, in whatever order.
INSERT INTO settled SELECT r.tenant, r.resync, s.subject, r.started, 0
  FROM resyncs r JOIN scopes s ON s.resync = r.resync
  WHERE r.started IS NOT NULL AND r.seen >= r.total ON CONFLICT DO NOTHING;

-- What is in its scope, and was neither shown nor changed since, no longer exists.
UPDATE users SET state = 'absent', version = NULL, user_name = NULL, email = NULL
  WHERE (tenant, id) IN (SELECT u.tenant, u.id FROM settled s JOIN users u
    ON u.tenant = s.tenant AND s.subject IN ('all', 'User/' || u.id)
    WHERE s.done = 0 AND u.state <> 'absent' AND u.time <= s.started AND NOT EXISTS (
      SELECT 1 FROM heard h WHERE h.resync = s.resync AND h.subject = 'User/' || u.id));
UPDATE groups SET state = 'absent', version = NULL, display_name = NULL
  WHERE (tenant, id) IN (SELECT g.tenant, g.id FROM settled s JOIN groups g
    ON g.tenant = s.tenant AND s.subject IN ('all', 'Group/' || g.id)
    WHERE s.done = 0 AND g.state <> 'absent' AND g.time <= s.started AND NOT EXISTS (
      SELECT 1 FROM heard h WHERE h.resync = s.resync AND h.subject = 'Group/' || g.id));
UPDATE memberships SET state = 'absent'
  WHERE (tenant, group_id, member_id) IN (SELECT m.tenant, m.group_id, m.member_id
    FROM settled s JOIN memberships m ON m.tenant = s.tenant
      AND s.subject IN ('all', 'Group/' || m.group_id, 'User/' || m.member_id)
    WHERE s.done = 0 AND m.state <> 'absent' AND m.time <= s.started AND NOT EXISTS (
      SELECT 1 FROM heard h WHERE h.resync = s.resync
        AND h.subject = 'Member/' || m.group_id || '/' || m.member_id));

-- What was wanted before it began is answered; what has been wanted since is asked for again.
DELETE FROM wanted WHERE EXISTS (SELECT 1 FROM settled s WHERE s.tenant = wanted.tenant
  AND s.started > wanted.time AND s.subject IN ('all', wanted.subject));
UPDATE wanted SET asked = 0 WHERE EXISTS (SELECT 1 FROM settled s WHERE s.tenant = wanted.tenant
  AND s.done = 0 AND s.subject IN ('all', wanted.subject));
UPDATE settled SET done = 1 WHERE done = 0;

-- A resync that has been silent for five minutes has lost something: ask for another one.
INSERT INTO wanted SELECT r.tenant, CASE WHEN s.subject = 'since' THEN 'all'
    ELSE COALESCE(s.subject, 'all') END AS subject, MAX(r.name), MAX(COALESCE(r.started, '')), 0
  FROM resyncs r LEFT JOIN scopes s ON s.resync = r.resync
  WHERE r.at + 300000 < :now AND r.resync NOT IN (SELECT resync FROM settled)
  GROUP BY 1, 2 ON CONFLICT (tenant, subject) DO UPDATE SET asked = 0;
INSERT INTO settled SELECT r.tenant, r.resync, 'incomplete', '', 1 FROM resyncs r
  WHERE r.at + 300000 < :now ON CONFLICT DO NOTHING;
DELETE FROM heard WHERE resync IN (SELECT resync FROM settled);
DELETE FROM scopes WHERE resync IN (SELECT resync FROM settled);

-- Ask for what was never asked for, or asked for an hour ago in vain.
UPDATE wanted SET asked = :now WHERE asked + 3600000 < :now RETURNING name, subject;
