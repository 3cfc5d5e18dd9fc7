-- A labelling queue as Icefloe made it before there were migrations, with something in every table.
BEGIN IMMEDIATE;

CREATE TABLE IF NOT EXISTS items (
    id INTEGER PRIMARY KEY,
    dataset TEXT NOT NULL,
    stem TEXT NOT NULL,
    round TEXT NOT NULL,
    height INTEGER NOT NULL,
    width INTEGER NOT NULL,
    classes TEXT NOT NULL,
    strategy TEXT NOT NULL,
    score REAL NOT NULL,
    rank INTEGER NOT NULL,
    reason TEXT NOT NULL,
    presegmentation BLOB,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'submitted', 'skipped', 'imported')),
    label INTEGER REFERENCES labels (id),
    data_version TEXT,
    UNIQUE (dataset, stem, round),
    CHECK ((state IN ('submitted', 'imported')) = (label IS NOT NULL)),
    CHECK ((state = 'imported') = (data_version IS NOT NULL))
);
-- Two labelers must not meet on one image through two rounds either.
CREATE UNIQUE INDEX IF NOT EXISTS one_open_item_an_image
    ON items (dataset, stem) WHERE state IN ('waiting', 'submitted');

CREATE TABLE IF NOT EXISTS leases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    token TEXT NOT NULL UNIQUE,
    item INTEGER NOT NULL REFERENCES items (id),
    labeler TEXT NOT NULL,
    expires REAL NOT NULL,
    ended TEXT CHECK (ended IN ('submitted', 'released', 'expired', 'skipped'))
);
-- The database itself refuses a second running lease.
CREATE UNIQUE INDEX IF NOT EXISTS one_lease_an_item ON leases (item) WHERE ended IS NULL;

CREATE TABLE IF NOT EXISTS labels (
    id INTEGER PRIMARY KEY,
    item INTEGER NOT NULL REFERENCES items (id),
    token TEXT NOT NULL,
    labeler TEXT NOT NULL,
    time REAL NOT NULL,
    seconds REAL CHECK (seconds >= 0),
    source TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    png BLOB NOT NULL,
    refusal TEXT
);
CREATE INDEX IF NOT EXISTS labels_by_token ON labels (token);

CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY,
    time REAL NOT NULL,
    item INTEGER NOT NULL REFERENCES items (id),
    actor TEXT NOT NULL,
    what TEXT NOT NULL,
    detail TEXT NOT NULL
);

CREATE TRIGGER IF NOT EXISTS events_stay BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER IF NOT EXISTS events_remain BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER IF NOT EXISTS labels_stay BEFORE UPDATE ON labels
BEGIN SELECT RAISE(ABORT, 'labels are never changed'); END;
CREATE TRIGGER IF NOT EXISTS labels_remain BEFORE DELETE ON labels
BEGIN SELECT RAISE(ABORT, 'labels are never removed'); END;

PRAGMA user_version = 1;
COMMIT;

BEGIN IMMEDIATE;
INSERT INTO items (id, dataset, stem, round, height, width, classes, strategy, score, rank, reason, presegmentation)
VALUES
    (1, 'D3', 'stack_1', 'EA-T1', 12, 16, '["background", "ice"]', 'mean-uq', 0.031, 1, 'the most uncertain', x'89504e47'),
    (2, 'D3', 'stack_2', 'EA-T1', 12, 16, '["background", "ice"]', 'mean-uq', 0.030, 2, 'the second', NULL),
    (3, 'D3', 'stack_3', 'EA-T1', 12, 16, '["background", "ice"]', 'mean-uq', 0.029, 3, 'the third', NULL),
    (4, 'D3', 'stack_4', 'EA-T1', 12, 16, '["background", "ice"]', 'random', 1e-300, 4, 'drawn – ≤ 0', NULL),
    (7, 'D4', 'stack_1', 'EA-T2', 960, 894, '["background", "ice", "gas"]', 'random', 0.5, 1, 'drawn', NULL);
INSERT INTO leases (id, token, item, labeler, expires, ended)
VALUES
    (1, 'token-1', 1, 'Ana', 1000.5, 'expired'),
    (2, 'token-2', 1, 'Bob', 2000.25, 'submitted'),
    (3, 'token-3', 2, 'Ana', 3000.0, 'submitted'),
    (4, 'token-4', 3, 'Ana', 4000.0, 'skipped'),
    (9, 'token-9', 4, 'Zoë', 9e12, NULL);
DELETE FROM leases WHERE id = 9;
INSERT INTO leases (id, token, item, labeler, expires, ended) VALUES (8, 'token-8', 4, 'Zoë', 9e12, NULL);
INSERT INTO labels (id, item, token, labeler, time, seconds, source, sha256, png, refusal)
VALUES
    (1, 1, 'token-2', 'Bob', 1900.125, 168.5, 'queue', 'aa', x'89504e4700ff', NULL),
    (2, 1, 'token-1', 'Ana', 1950.0, 900.0, 'queue', 'bb', x'00', 'the image has been submitted already'),
    (3, 2, 'token-3', 'Ana', 2900.0, NULL, 'labelme', 'cc', x'01', NULL);
UPDATE items SET state = 'submitted', label = 1 WHERE id = 1;
UPDATE items SET state = 'imported', label = 3, data_version = 'rev1' WHERE id = 2;
UPDATE items SET state = 'skipped' WHERE id = 3;
INSERT INTO events (id, time, item, actor, what, detail)
VALUES
    (1, 900.0, 1, 'sampler', 'added', '{"round": "EA-T1", "reason": "the most uncertain"}'),
    (2, 901.0, 1, 'Ana', 'leased', '{"until": "1970-01-01T00:16:40Z"}'),
    (3, 1001.0, 1, 'Ana', 'expired', '{}'),
    (5, 1900.125, 1, 'Bob', 'submitted', '{"label": 1, "seconds": 168.5, "source": "queue", "sha256": "aa"}'),
    (6, 1950.0, 1, 'Ana', 'refused', '{"label": 2, "reason": "the image has been submitted already"}'),
    (7, 3100.0, 2, 'icefloe', 'imported', '{"label": 3, "data_version": "rev1"}'),
    (8, 3500.0, 3, 'Ana', 'skipped', '{"reason": "Eis geschmolzen \u2013 nichts zu sehen"}');
COMMIT;
