"""Putting the demo back: the province is built anew, ending today, and takes the place of what visitors left."""

import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from gandan.access import Refused

_ONE_AT_A_TIME = threading.Lock()


def possible() -> bool:
    """Say whether the province can be put back while it is served: on SQLite, from a file."""
    return connection.vendor == "sqlite" and Path(str(settings.DATABASES["default"]["NAME"])).is_file()


def put_back() -> None:
    """Build the province in a folder aside, then copy it over the served one, page by page and all at once.

    Readers see the old province until the copy is complete. Files that visitors sent stay under their digests;
    nothing points to them any more. Raises Refused while another visitor does the same.
    """
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        raise Refused(_("Somebody is putting the demo back at this moment. Wait a little and open the page again."))
    try:
        with tempfile.TemporaryDirectory(prefix="gandan-demo-") as folder:
            environment = {**os.environ, "GANDAN_HOME": folder, "GANDAN_DEMO": "1"}
            environment["GANDAN_KEYS"] = str(_keys())
            built = subprocess.run(
                [sys.executable, "-m", "gandan", "demo", "--quiet"],
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=300,
            )
            if built.returncode:
                raise Refused(_("The demo could not be built anew; everything stands as it was."))
            connection.close()
            _copy(Path(folder) / "gandan.sqlite3", Path(str(settings.DATABASES["default"]["NAME"])))
    finally:
        _ONE_AT_A_TIME.release()


def _copy(source: Path, target: Path) -> None:
    """Copy a whole database over another that is being served; SQLite's own backup waits for writers to end."""
    with sqlite3.connect(source) as new, sqlite3.connect(target, timeout=60) as served:
        new.backup(served)
    new.close()
    served.close()


def _keys() -> Path:
    """Return where the keys lie with which the codes and the record of this demo are made."""
    named = os.environ.get("GANDAN_KEYS")
    return Path(named).resolve() if named else Path(settings.GANDAN_HOME).resolve() / "keys"
