"""Taking tries in one statement, so that no two processes take the same one."""

from django.db import connection

_TABLE = "accounts_bucket"
_CLEARED_AT_ONCE = 50
_THEN = "CASE WHEN b.full_at > %(now)s THEN b.full_at ELSE %(now)s END + %(step)s"
_TAKE = f"""
INSERT INTO {_TABLE} AS b (key, full_at) VALUES (%(key)s, %(now)s + %(step)s)
ON CONFLICT (key) DO UPDATE SET full_at = {_THEN} WHERE {_THEN} <= %(most)s
RETURNING full_at
"""  # noqa: S608 - constants


def take(key: str, now: float, step: float, most: float) -> bool:
    """Push the instant at which a bucket is full again by `step` seconds, unless it would lie after `most`."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"key": key, "now": now, "step": step, "most": most})
        return cursor.fetchone() is not None


def clear(now: float) -> None:
    """Delete some buckets that are full again."""
    # What others are just writing is left to them, and looked at again before it goes.
    skip = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {_TABLE} WHERE full_at <= %s AND key IN "  # noqa: S608 - constants
            f"(SELECT key FROM {_TABLE} WHERE full_at <= %s LIMIT {_CLEARED_AT_ONCE} {skip})",
            [now, now],
        )
