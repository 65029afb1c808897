"""Rules about units that the database keeps on both engines: no two versions or placements overlap."""

from gandan.audit import triggers
from gandan.units.models import Placement, UnitVersion

_OVERLAP = (
    'EXISTS (SELECT 1 FROM "{table}" o WHERE o.unit_id = NEW.unit_id AND o.id <> NEW.id{same} '
    "AND (o.valid_to IS NULL OR o.valid_to > NEW.valid_from) "
    "AND (NEW.valid_to IS NULL OR NEW.valid_to > o.valid_from))"
)


def declare_triggers() -> None:
    """Declare the triggers that refuse overlapping periods."""
    for model, same in ((UnitVersion, ""), (Placement, " AND o.chain = NEW.chain")):
        table = model._meta.db_table
        overlap = _OVERLAP.replace("{table}", table).replace("{same}", same)
        message = f"{table}: two periods of one unit overlap"
        for event in ("insert", "update"):
            triggers.register(
                model,
                f"{table}_overlap_{event}",
                sqlite=(
                    f"CREATE TRIGGER {{name}} AFTER {event.upper()} ON {{table}} FOR EACH ROW WHEN {overlap} "
                    f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
                ),
                postgresql=(
                    "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                    f"IF {overlap} THEN RAISE EXCEPTION '{message}' "
                    "USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN NULL; END $$; "
                    f"CREATE TRIGGER {{name}} AFTER {event.upper()} ON {{table}} FOR EACH ROW "
                    "EXECUTE FUNCTION {name}()"
                ),
            )
