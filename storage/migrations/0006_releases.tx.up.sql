-- Releases: which rule texts may be in force, who proposed them, who approved
-- them and why. Whoever acts is known by the login, session_user: SET ROLE does
-- not change it. What the application writes into those columns is overwritten.

CREATE TABLE releases (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site        text NOT NULL CHECK (site ~ '^[a-z][a-z0-9_-]{0,15}$'),
    ruleset     text NOT NULL CHECK (ruleset <> ''),
    version     int NOT NULL CHECK (version > 0),
    texts       bytea[] NOT NULL CHECK (cardinality(texts) > 0), -- hashes in rule_versions, one a date on which its values change
    because     text NOT NULL CHECK (because <> ''),
    proposed_by text NOT NULL DEFAULT session_user,
    proposed_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE release_acts (
    release_id bigint NOT NULL REFERENCES releases,
    act        text NOT NULL CHECK (act IN ('approve', 'withdraw')),
    because    text NOT NULL CHECK (because <> ''),
    acted_by   text NOT NULL DEFAULT session_user,
    acted_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (release_id, act)
);

INSERT INTO schema_laws (name, append) VALUES ('releases', true), ('release_acts', true);
SELECT keep_law('releases'), keep_law('release_acts');

CREATE FUNCTION sign_release() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.proposed_by := session_user;
    NEW.proposed_at := now();
    IF EXISTS (SELECT FROM unnest(NEW.texts) AS t (hash) WHERE NOT EXISTS (
            SELECT FROM public.rule_versions v
            WHERE v.hash = t.hash AND v.site = NEW.site AND v.ruleset = NEW.ruleset AND v.version = NEW.version)) THEN
        RAISE EXCEPTION 'release of %@% refused: its text is not kept', NEW.ruleset, NEW.version
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$;

-- The author of a text is everybody who ever proposed it: another proposal of
-- the same text by somebody else does not open a way around.
CREATE FUNCTION sign_release_act() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.acted_by := session_user;
    NEW.acted_at := now();
    IF NEW.act <> 'approve' THEN
        RETURN NEW;
    END IF;
    IF EXISTS (SELECT FROM public.releases mine JOIN public.releases asked ON asked.id = NEW.release_id
               WHERE mine.proposed_by = session_user AND mine.texts && asked.texts) THEN
        RAISE EXCEPTION 'approval of release % refused: % proposed its text', NEW.release_id, session_user
            USING ERRCODE = 'check_violation', CONSTRAINT = 'approver_is_not_author', HINT = 'Another login has to approve it.';
    END IF;
    IF EXISTS (SELECT FROM public.release_acts a WHERE a.release_id = NEW.release_id AND a.act = 'withdraw') THEN
        RAISE EXCEPTION 'approval of release % refused: it was withdrawn', NEW.release_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'withdrawn_for_good', HINT = 'Propose it again.';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER sign_release BEFORE INSERT ON releases FOR EACH ROW EXECUTE FUNCTION sign_release();
CREATE TRIGGER sign_release_act BEFORE INSERT ON release_acts FOR EACH ROW EXECUTE FUNCTION sign_release_act();
