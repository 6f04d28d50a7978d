-- Format 2: each event bears a sum over itself and its place (src/sum.rs), which every reading checks. The events that a
-- log of format 1 held already have none.
ALTER TABLE events ADD COLUMN sum INTEGER;

-- A program of format 1 that is still at work on the file is stopped, rather than let go on without sums.
CREATE TRIGGER events_bear_sums BEFORE INSERT ON events
WHEN NEW.sum IS NULL
BEGIN SELECT RAISE(FAIL, 'nothing is added without its sum: end the older tieout that is at work on this log'); END;
