"""`gandan serve`: pages, until told to stop."""

import argparse
import ctypes
import errno
import os
import signal
import socket
import sys

from django.conf import settings
from django.db import connection

from gandan.config import durability
from gandan.config.exits import OK, REFUSED, WRONG, CommandError

PARENT = "GANDAN_SERVER"
"""Names the process that started the server to its workers; see `follow_parent`."""
STOPPING_SECONDS = 20
"""How long a worker may take to finish the answers that it has begun."""


def serve(options: argparse.Namespace) -> int:
    """Serve the pages with granian until stopped. Refuses to begin where an acknowledgement could be lost."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    from gandan.config import installation, upgrading
    from gandan.secrecy import middleware as nameless

    if settings.GANDAN_DEMO and options.host not in {"127.0.0.1", "localhost", "::1"}:
        raise CommandError("the demo opens every chair without a password, so it serves loopback only", REFUSED)
    claim(options.host, options.port)
    durability.wait_for_database()
    installation.keys_required(sealed=True)
    upgrading.snapshot_before_migrating()
    installation.migrate()
    installation.collect_static()
    faults = durability.faults()
    if faults:
        raise CommandError("the database would not keep what it acknowledges: " + "; ".join(faults), REFUSED)
    durability.settle(settings.GANDAN_HOME)
    connection.close()
    os.environ[PARENT] = str(os.getpid())
    nameless.prepare()
    server = Granian(
        "gandan.config.wsgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=options.workers,
        blocking_threads=options.threads,
        respawn_failed_workers=True,
        workers_kill_timeout=STOPPING_SECONDS,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
    )
    print(f"Gần Dân serves {settings.GANDAN_URL}/{'demo' if settings.GANDAN_DEMO else ''}", flush=True)
    try:
        server.serve()
    except RuntimeError as error:
        # Granian's word for a port that somebody took between our asking and its own.
        if "os error" not in str(error):
            raise
        raise CommandError(f"{_place(options.host, options.port)} cannot be opened: {error}", REFUSED) from None
    return OK


def claim(host: str, port: int) -> None:
    """Return when `host` and `port` are free to serve on. Raises CommandError with what to do instead."""
    place = _place(host, port)
    if not 0 < port < 65536:
        raise CommandError(f"{place} is not an address of this machine: a port is a number from 1 to 65535", WRONG)
    try:
        known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror:
        raise CommandError(f"{place} is not an address of this machine", WRONG) from None
    family, kind, protocol, _, address = known[0]
    with socket.socket(family, kind, protocol) as probe:
        # As the server itself does: connections that ended a moment ago are not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                sentence = f"{place} is taken by another program; stop it, or choose another port with --port"
                raise CommandError(sentence, REFUSED) from None
            if error.errno == errno.EACCES:
                sentence = f"this account may not open {place}; choose a port above 1023 and let the proxy pass it on"
                raise CommandError(sentence, REFUSED) from None
            raise CommandError(f"{place} cannot be opened: {error.strerror}", WRONG) from None


def follow_parent() -> None:
    """End this worker when the server that started it is gone, so that no orphan keeps the port or the tables.

    Linux only; elsewhere, and under another server, it does nothing.
    """
    if sys.platform != "linux" or os.environ.get(PARENT) != str(os.getppid()):
        return
    set_parent_death_signal = 1
    ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGTERM, 0, 0, 0)
    if os.environ.get(PARENT) != str(os.getppid()):
        # It went while we were asking.
        os.kill(os.getpid(), signal.SIGTERM)


def _place(host: str, port: int) -> str:
    return f"port {port} of {host}"
