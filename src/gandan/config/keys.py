"""The master key of an installation, and the keys derived from it for each purpose."""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PURPOSES = ("django", "audit", "follow", "receipt", "invitation", "limits", "factors")


def load_or_make(folder: Path) -> dict[str, bytes]:
    """Return one 32-byte key a purpose, derived by HKDF-SHA256 from `folder`/master.key.

    The file is made on first use, readable by its owner only. Losing it makes follow-up codes and audit
    commitments unverifiable: it belongs in the escrow described in docs/operate.
    """
    path = folder / "master.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = folder / f".master.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # never replaces a key that another process has just made
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    master = path.read_bytes()
    return {
        purpose: HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"gandan:{purpose}".encode()).derive(master)
        for purpose in PURPOSES
    }
