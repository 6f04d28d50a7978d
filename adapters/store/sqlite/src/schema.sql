-- The log. Open it with the sqlite3 shell and read the view `log`.

-- Each name once; `head` is the revision of the stream's last event.
CREATE TABLE streams (
    id   INTEGER PRIMARY KEY,
    name TEXT    NOT NULL UNIQUE,
    head INTEGER NOT NULL CHECK (head >= 0)
) STRICT;

-- The events in total order; `leaf` is the rank, dense from 0.
CREATE TABLE events (
    leaf     INTEGER PRIMARY KEY CHECK (leaf >= 0),
    stream   INTEGER NOT NULL REFERENCES streams (id),
    revision INTEGER NOT NULL CHECK (revision >= 0),
    id       BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    kind     TEXT    NOT NULL,
    data     BLOB    NOT NULL,
    metadata BLOB    NOT NULL,
    UNIQUE (stream, revision)
) STRICT;

-- Nothing is edited. (FAIL and not ABORT, which would have SQLite copy every page before every insert. A row that is
-- refused is not touched either way.) The first of these also stops INSERT OR REPLACE, which deletes without asking the third.
CREATE TRIGGER events_are_only_added BEFORE INSERT ON events
WHEN NEW.leaf <> (SELECT coalesce(max(leaf) + 1, 0) FROM events)
  OR EXISTS (SELECT 1 FROM events WHERE id = NEW.id)
  OR EXISTS (SELECT 1 FROM events WHERE stream = NEW.stream AND revision = NEW.revision)
BEGIN SELECT RAISE(FAIL, 'nothing is edited: an event goes after the last one, under a new id and revision'); END;

CREATE TRIGGER events_are_not_updated BEFORE UPDATE ON events
BEGIN SELECT RAISE(FAIL, 'nothing is edited: append an event that corrects this one'); END;

CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(FAIL, 'nothing is edited: events are never deleted'); END;

CREATE TRIGGER streams_are_only_added BEFORE INSERT ON streams
WHEN EXISTS (SELECT 1 FROM streams WHERE id = NEW.id OR name = NEW.name)
BEGIN SELECT RAISE(FAIL, 'nothing is edited: this stream is there already'); END;

CREATE TRIGGER streams_only_grow BEFORE UPDATE ON streams
WHEN NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.head <= OLD.head
BEGIN SELECT RAISE(FAIL, 'nothing is edited: a stream keeps its name and only grows'); END;

CREATE TRIGGER streams_are_not_deleted BEFORE DELETE ON streams
BEGIN SELECT RAISE(FAIL, 'nothing is edited: streams are never deleted'); END;

-- What an auditor reads.
CREATE VIEW log AS
SELECT e.leaf,
       s.name AS stream,
       e.revision,
       lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4) || '-'
             || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) AS id,
       e.kind,
       CAST(e.data AS TEXT) AS data,
       CAST(e.metadata AS TEXT) AS metadata
FROM events e JOIN streams s ON s.id = e.stream
ORDER BY e.leaf;

-- The instants of the last calls to an outside account, in the order in which they were reserved. Not part of the log.
CREATE TABLE pace (
    account TEXT    NOT NULL,
    turn    INTEGER NOT NULL,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (account, turn)
) STRICT, WITHOUT ROWID;
