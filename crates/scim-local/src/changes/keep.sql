-- Keeps the changes of the table's rows of some kinds, in the transactions that make them.
CREATE TABLE IF NOT EXISTS _scim_changes (
    id INTEGER PRIMARY KEY,
    new TEXT, old TEXT,
    at INTEGER,
    expired INTEGER
);
CREATE TABLE IF NOT EXISTS _scim_delivered (id INTEGER NOT NULL);
-- The numbers begin with the time, so that those of a new database follow those of an old one.
INSERT INTO _scim_changes (id)
    SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)
    WHERE NOT EXISTS (SELECT 1 FROM _scim_changes);
INSERT INTO _scim_delivered (id)
    SELECT id FROM _scim_changes WHERE NOT EXISTS (SELECT 1 FROM _scim_delivered)
    ORDER BY id DESC LIMIT 1;
-- Each statement of the engine compiles the first trigger again, so it is as short as possible, and
-- looks for the text of `k`, which a value cannot contain without backslashes. Another release may
-- have made other triggers.
DROP TRIGGER IF EXISTS _scim_written;
CREATE TRIGGER _scim_written BEFORE INSERT ON "TABLE"
WHEN NEW.item_json GLOB '*"k":{"S":"[KINDS]"}*' BEGIN
    INSERT INTO _scim_changes (new, old, at) VALUES (NEW.item_json,
        (SELECT item_json FROM "TABLE" WHERE pk = NEW.pk AND sk = NEW.sk), unixepoch());
END;
DROP TRIGGER IF EXISTS _scim_removed;
CREATE TRIGGER _scim_removed BEFORE DELETE ON "TABLE"
WHEN OLD.item_json GLOB '*"k":{"S":"[KINDS]"}*' BEGIN
    INSERT INTO _scim_changes (old, at) VALUES (OLD.item_json, unixepoch());
END;
-- The engine's own stream is on only while expired rows are removed, and tells which those are. Its
-- record comes right after the removal, in the same transaction.
DROP TRIGGER IF EXISTS _scim_expired;
CREATE TRIGGER _scim_expired BEFORE INSERT ON _stream_records
WHEN NEW.table_name = 'TABLE' BEGIN
    UPDATE _scim_changes SET expired = 1
    WHERE id = (SELECT max(id) FROM _scim_changes) AND new IS NULL
        AND NEW.user_identity IS NOT NULL
        AND json_extract(old, '$.p.S') = json_extract(NEW.keys_json, '$.p.S')
        AND json_extract(old, '$.s.S') = json_extract(NEW.keys_json, '$.s.S');
    SELECT RAISE(IGNORE);
END;
