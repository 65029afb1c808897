"""What is done with a restored database before anybody is served."""

from gandan.secrecy.retention import replay_tombstones


def after_restore() -> int:
    """Forget again what was erased after the copy was made."""
    return replay_tombstones()
