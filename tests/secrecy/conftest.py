"""The small world of matters, and keys of this run's own."""

import pytest

from gandan.secrecy import vault
from tests.cases.conftest import at_desk, world  # noqa: F401


@pytest.fixture(autouse=True)
def own_keys(tmp_path, settings):
    """Each test here has a folder of keys of its own."""
    settings.GANDAN_KEYS_FOLDER = tmp_path / "keys"
    vault.make(1)
    return settings.GANDAN_KEYS_FOLDER
