"""Holding off those who guess: buckets of tries in the database, by a keyed hash of who tries.

A bucket holds `burst` tries and gets `rate` new ones an hour, so at most `burst + rate` are used in any hour. It is
kept as one instant, the one at which it is full again (the generic cell rate algorithm), and each question is one
statement, so that any number of processes share it on either engine. A bucket that is full again is deleted: what
stands in the table says nothing about anybody after that, and before it holds no address and no name.

Call these outside a transaction: what is rolled back gives its tries back.
"""

import hashlib
import hmac
import ipaddress
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.http import HttpRequest

from gandan.accounts import sql
from gandan.accounts.models import Bucket

_HOUR = 3600.0
_DUST = 1e-6
"""Seconds by which instants may differ from rounding alone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether there is a try, and if not, after how long there is one. True when there is one."""

    allowed: bool
    wait: timedelta = timedelta(0)

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def minutes(self) -> int:
        """Whole minutes to wait, at least one: for sentences."""
        return max(1, math.ceil(self.wait.total_seconds() / 60))


def take(bucket: str, key: str, rate: float, burst: float, at: datetime, count: int = 1) -> Answer:
    """Take tries from the bucket of `key`, or say how long to wait when there are too few; then none is taken.

    `rate` is in tries an hour. Exact under concurrency on both engines. Raises ValueError for a count that
    the bucket can never hold.
    """
    if rate <= 0 or not 0 < count <= burst:
        raise ValueError("a bucket holds what may be taken from it, and fills again")
    step, instant, name = _HOUR / rate, at.timestamp(), _name(bucket, key)
    taken = sql.take(name, instant, step * count, instant + step * burst + _DUST)
    sql.clear(instant)
    return Answer(True) if taken else look(bucket, key, rate, burst, at, count)


def look(bucket: str, key: str, rate: float, burst: float, at: datetime, count: int = 1) -> Answer:
    """Say what `take` would, without taking."""
    step, instant = _HOUR / rate, at.timestamp()
    full = _full_at(_name(bucket, key), instant)
    over = full + step * count - (instant + step * burst)
    return Answer(True) if over <= _DUST else Answer(False, timedelta(seconds=over))


def spent(bucket: str, key: str, rate: float, at: datetime) -> float:
    """Return how many tries are missing from the bucket now."""
    instant = at.timestamp()
    return (_full_at(_name(bucket, key), instant) - instant) * rate / _HOUR


def give_back(bucket: str, key: str, rate: float, at: datetime, count: float = 1) -> None:
    """Put tries back into the bucket; it is never fuller than full."""
    name = _name(bucket, key)
    Bucket.objects.filter(pk=name).update(full_at=models.F("full_at") - count * _HOUR / rate)
    sql.clear(at.timestamp())


def empty_record(bucket: str, key: str) -> None:
    """Forget that anything was taken."""
    Bucket.objects.filter(pk=_name(bucket, key)).delete()


def clear(at: datetime) -> int:
    """Delete every bucket that is full again; return how many."""
    return Bucket.objects.filter(full_at__lte=at.timestamp()).delete()[0]


def source(request: HttpRequest) -> str:
    """Return the address that a request comes from, as far as it can be known.

    The address of the connection counts. Where that is one of our own proxies (setting GANDAN_PROXIES), the
    rightmost entry of X-Forwarded-For that is none of them counts: everything left of it was written by the sender.
    A sender's whole network of version 6 (64 bits) is one source, for it has as many addresses as it likes.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    chain = [part.strip() for part in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if part.strip()]
    while chain and _is_ours(address):
        said = _address(chain.pop())
        if said is None:
            break
        address = str(said)
    found = _address(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False).network_address)
    return address


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_ours(text: str) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in settings.GANDAN_PROXIES)


def _name(bucket: str, key: str) -> str:
    words = f"{bucket}\x00{key}".encode()
    return hmac.new(settings.GANDAN_KEYS["limits"], words, hashlib.sha256).hexdigest()


def _full_at(name: str, instant: float) -> float:
    found = Bucket.objects.filter(pk=name).values_list("full_at", flat=True).first()
    return max(found or instant, instant)
