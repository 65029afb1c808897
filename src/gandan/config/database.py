"""Which database: SQLite in the home folder, or PostgreSQL by address."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

SQLITE_SETTINGS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF; "
    "PRAGMA secure_delete=ON; PRAGMA journal_size_limit=67108864; PRAGMA busy_timeout=30000; "
    # Without these two, macOS only hands the data to the disk's own memory; other systems ignore them.
    "PRAGMA fullfsync=ON; PRAGMA checkpoint_fullfsync=ON;"
)


def sqlite(path: Path | str) -> dict[str, Any]:
    """Return Django's settings for a durable SQLite file: an acknowledged write survives a power cut."""
    return {
        "ENGINE": "gandan.config.sqlite",
        "NAME": str(path),
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": SQLITE_SETTINGS},
        "CONN_MAX_AGE": None,
    }


_PLANNER = "-c random_page_cost=1.1 -c jit=off"
"""Small answers from large tables on disks without a moving arm; `options` in the address takes its place."""


def postgresql(address: str) -> dict[str, Any]:
    """Return Django's settings for a PostgreSQL address."""
    parts = urlsplit(address)
    return {
        "ENGINE": "gandan.config.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": {"options": _PLANNER} | dict(parse_qsl(parts.query)),
        "CONN_MAX_AGE": None,
        # A database that was restarted costs nobody a page.
        "CONN_HEALTH_CHECKS": True,
    }
