-- The order journal in PostgreSQL: append-only by the database's own privileges and triggers.
-- Run by the owner of the database; `cws_journal_writer` is what the desk logs in as, or is granted to it.
-- Every line is, byte for byte, the file journal's line without its newline; `head` is its SHA-256.

CREATE SCHEMA IF NOT EXISTS cws_journal;

CREATE TABLE IF NOT EXISTS cws_journal.entries (
    account   text   NOT NULL CHECK (account ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    seq       bigint NOT NULL CHECK (seq >= 0),
    ts_ns     bigint NOT NULL,
    end_bytes bigint NOT NULL CHECK (end_bytes > 0),
    head      text   NOT NULL,
    line      bytea  NOT NULL,
    PRIMARY KEY (account, seq)
);

CREATE OR REPLACE FUNCTION cws_journal.follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before cws_journal.entries;
    prev text := repeat('0', 64);
BEGIN
    IF NEW.seq > 0 THEN
        SELECT * INTO before FROM cws_journal.entries WHERE account = NEW.account AND seq = NEW.seq - 1;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'entry % of % has none before it', NEW.seq, NEW.account USING ERRCODE = 'check_violation';
        END IF;
        prev := before.head;
        IF NEW.ts_ns < before.ts_ns THEN
            RAISE EXCEPTION 'entry % of % goes back in time', NEW.seq, NEW.account USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF NEW.head <> encode(sha256(NEW.line), 'hex')
       OR position(convert_to(format('"prev":"%s"', prev), 'UTF8') IN NEW.line) = 0
       OR position(convert_to(format('{"seq":%s,"ts_ns":%s,', NEW.seq, NEW.ts_ns), 'UTF8') IN NEW.line) <> 1
       OR NEW.end_bytes <> coalesce(before.end_bytes, 0) + length(NEW.line) + 1
    THEN
        RAISE EXCEPTION 'entry % of % does not follow the one before it', NEW.seq, NEW.account
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION cws_journal.never() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the order journal is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER entries_follow BEFORE INSERT ON cws_journal.entries
    FOR EACH ROW EXECUTE FUNCTION cws_journal.follow();
CREATE OR REPLACE TRIGGER entries_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON cws_journal.entries
    FOR EACH STATEMENT EXECUTE FUNCTION cws_journal.never();
-- Whoever may write may not switch the triggers off: that takes the owner. ALWAYS: replication does not skip them.
ALTER TABLE cws_journal.entries ENABLE ALWAYS TRIGGER entries_follow;
ALTER TABLE cws_journal.entries ENABLE ALWAYS TRIGGER entries_never_change;

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cws_journal_writer') THEN
        CREATE ROLE cws_journal_writer NOLOGIN;
    END IF;
END $$;
REVOKE ALL ON SCHEMA cws_journal FROM PUBLIC;
REVOKE ALL ON cws_journal.entries FROM PUBLIC, cws_journal_writer;
GRANT USAGE ON SCHEMA cws_journal TO cws_journal_writer;
GRANT SELECT, INSERT ON cws_journal.entries TO cws_journal_writer;
