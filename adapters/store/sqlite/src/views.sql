-- What people read, folded from the log. Both tables may be dropped at any time: they are made again.
CREATE TABLE IF NOT EXISTS view_checkpoints (
    view       TEXT    PRIMARY KEY,
    commit_at  INTEGER NOT NULL,
    prepare_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS view_rows (
    view TEXT NOT NULL,
    key  TEXT NOT NULL,
    row  TEXT NOT NULL CHECK (json_valid(row)),
    PRIMARY KEY (view, key)
) STRICT, WITHOUT ROWID;
