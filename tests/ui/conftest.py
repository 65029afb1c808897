import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.utils import translation

STATIC = Path(__file__).resolve().parents[2] / "src/gandan/ui/static/ui"


@pytest.fixture(autouse=True)
def alone(settings: Any) -> None:
    """Let the design system stand alone: its own addresses, its own menu, the demo's gallery."""
    settings.ROOT_URLCONF = "tests.ui.addresses"
    settings.GANDAN_NAVIGATION = "tests.ui.addresses.navigation"
    settings.GANDAN_DEMO = True
    settings.DEBUG = False


@pytest.fixture
def vietnamese() -> Iterator[None]:
    with translation.override("vi"):
        yield


@pytest.fixture
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def static_files() -> Path:
    """The folder that script/build fills."""
    if not (STATIC / "site.css").exists():
        pytest.fail("the front end is not built: run script/build")
    return STATIC


@pytest.fixture
def site(alone: None, static_files: Path) -> Iterator[str]:
    """The address of a server that shows the gallery and the files of the front end; it asks no database."""
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    class Quiet(WSGIRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet, allow_reuse_address=False)
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()
