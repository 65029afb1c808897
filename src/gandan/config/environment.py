"""Everything that may differ between two installations, read from the environment in one place.

Each setting documents itself: `gandan check --settings` prints this table.
"""

import os
from dataclasses import dataclass, fields
from dataclasses import field as dataclass_field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class SettingError(Exception):
    """A setting that cannot be used, with the sentence that says what to write instead."""


def _setting(name: str, default: Any, help_text: str) -> Any:
    return dataclass_field(default=default, metadata={"name": name, "help": help_text})


@dataclass(frozen=True, slots=True)
class Environment:
    home: Path = _setting("GANDAN_HOME", Path("var"), "Folder of the database, keys, files and logs.")
    database_url: str = _setting(
        "DATABASE_URL", "", "postgresql://user:password@host:port/name; empty means SQLite in GANDAN_HOME."
    )
    url: str = _setting(
        "GANDAN_URL",
        "http://127.0.0.1:8000",
        "Public address. https switches secure cookies and HSTS on; http is allowed on loopback only.",
    )
    demo: bool = _setting("GANDAN_DEMO", False, "1 for the invented province: chairs without passwords, loopback only.")
    today: datetime | None = _setting(
        "GANDAN_TODAY", None, "Fix the day (2026-11-23), or where the clock starts (2026-11-23T09:00), for tests."
    )
    keys: Path | None = _setting("GANDAN_KEYS", None, "Folder of the master key; default GANDAN_HOME/keys.")
    checkpoints: Path | None = _setting(
        "GANDAN_CHECKPOINTS",
        None,
        "Folder for signed checkpoints of the audit record, best on another disk. Default GANDAN_HOME/checkpoints.",
    )
    proxies: tuple[IPv4Network | IPv6Network, ...] = _setting(
        "GANDAN_PROXIES",
        (ip_network("127.0.0.1"), ip_network("::1")),
        "Our own proxies: addresses or networks, with commas. Only they are believed about where a request comes from.",
    )
    outside_body: str = _setting(
        "GANDAN_OUTSIDE_BODY",
        "",
        "Name and address of the body outside that takes complaints for which no inspector is left.",
    )
    outside_key: str = _setting(
        "GANDAN_OUTSIDE_KEY", "", "Public key of that body (age1...): only it opens what is packed for it."
    )
    debug: bool = _setting("GANDAN_DEBUG", False, "1 shows faults in detail. Never outside loopback.")

    @property
    def hostname(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def is_loopback(self) -> bool:
        return self.hostname in {"127.0.0.1", "localhost", "::1"}

    @property
    def is_secure(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    @property
    def keys_folder(self) -> Path:
        return self.keys or self.home / "keys"

    @property
    def checkpoints_folder(self) -> Path:
        return self.checkpoints or self.home / "checkpoints"


def read(source: dict[str, str] | None = None) -> Environment:
    """Return the settings of this installation. Raises SettingError naming the variable."""
    source = dict(os.environ) if source is None else source
    values: dict[str, Any] = {}
    for each in fields(Environment):
        name = each.metadata["name"]
        text = source.get(name, "").strip()
        if not text:
            continue
        values[each.name] = _parse(name, each.name, text)
    environment = Environment(**values)
    address = urlsplit(environment.url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise SettingError(f"GANDAN_URL must be an address like https://congan.example.vn, not {environment.url!r}")
    if address.scheme == "http" and not environment.is_loopback:
        raise SettingError(
            "GANDAN_URL begins with http:// but is not this machine's loopback address. "
            "Use https:// behind a proxy with TLS, or http://127.0.0.1:8000 for a trial."
        )
    if environment.demo and not environment.is_loopback:
        raise SettingError("GANDAN_DEMO=1 opens every chair without a password, so it serves loopback only.")
    if bool(environment.outside_body) != bool(environment.outside_key):
        raise SettingError("GANDAN_OUTSIDE_BODY and GANDAN_OUTSIDE_KEY are set together: whose the key is, and the key")
    return environment


def table() -> list[tuple[str, str, str]]:
    """Return (variable, default, meaning) for every setting."""
    return [(f.metadata["name"], _shown(f.default), f.metadata["help"]) for f in fields(Environment)]


def _shown(default: Any) -> str:
    return ", ".join(map(str, default)) if isinstance(default, tuple) else str(default or "")


def _parse(name: str, field_name: str, text: str) -> Any:
    if field_name in {"demo", "debug"}:
        if text not in {"0", "1"}:
            raise SettingError(f"{name} is 1 or 0, not {text!r}")
        return text == "1"
    if field_name == "today":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise SettingError(f"{name} is a date like 2026-11-23, not {text!r}") from None
    if field_name == "proxies":
        try:
            return tuple(ip_network(part.strip()) for part in text.split(","))
        except ValueError:
            raise SettingError(f"{name} holds addresses or networks like 10.0.0.0/24, not {text!r}") from None
    if field_name in {"home", "keys", "checkpoints"}:
        return Path(text).expanduser().absolute()
    if field_name == "outside_body" and len(text) > 200:
        raise SettingError(f"{name} has at most 200 letters")
    if field_name == "outside_key":
        _check_key(name, text)
    if field_name == "database_url" and not text.startswith(("postgresql://", "postgres://")):
        raise SettingError(f"{name} begins with postgresql://; leave it empty for SQLite")
    return text


def _check_key(name: str, text: str) -> None:
    import pyrage  # type: ignore[import-untyped]

    try:
        pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise SettingError(f"{name} is the public key of that body and begins with age1; this is none") from None
