"""The master key of an installation, and the keys derived from it for each purpose.

It is read when a key is first needed, and never made here: a command that puts lost keys back loads the settings too.
It is made together with the first table of an installation, see `gandan.secrecy.vault.begin`.
"""

from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gandan.config.exits import REFUSED, CommandError

MASTER = "master.key"
PURPOSES = ("django", "audit", "follow", "receipt", "invitation", "limits", "factors")
_BYTES = 32


class KeyLost(CommandError):
    """The master key is not there or not readable, with the sentence that says what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, REFUSED)


class Keys(dict[str, bytes]):
    """One 32-byte key a purpose, derived by HKDF-SHA256 from `folder`/master.key.

    The first use of any reads the file and raises KeyLost without it. Losing it makes follow-up codes and audit
    commitments unverifiable: it belongs in the escrow described in docs/operate.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, purpose: str) -> bytes:
        if purpose not in PURPOSES:
            raise KeyError(purpose)
        master = self._read()
        for each in PURPOSES:
            info = f"gandan:{each}".encode()
            self.setdefault(each, HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(master))
        return self[purpose]

    def _read(self) -> bytes:
        try:
            master = (self.folder / MASTER).read_bytes()
        except FileNotFoundError:
            raise KeyLost(
                f"the key {MASTER} is not in {self.folder}, and what is kept here was made with it; no other one is "
                "made. Put the folder back, or bring it back with gandan keys recover SHARE SHARE"
            ) from None
        except OSError as error:
            raise KeyLost(f"the key {MASTER} in {self.folder} cannot be read: {error.strerror}") from None
        if len(master) != _BYTES:
            raise KeyLost(
                f"the key {MASTER} in {self.folder} is damaged: {_BYTES} bytes are expected, not {len(master)}. "
                "Move it away, then bring the right one back with gandan keys recover SHARE SHARE"
            )
        return master
