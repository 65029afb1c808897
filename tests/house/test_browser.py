"""The browser's checks can fail: each one is shown a page with the fault that it is there to find."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests import browser as tools

pytestmark = [pytest.mark.journey, pytest.mark.agnostic]

POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:"
HEAD = '<!doctype html><html lang="vi"><head><title>Thử</title><meta name="viewport" content="width=device-width">'
PAGES = {
    "/good": HEAD + "<body><main><h1>Tốt</h1><p>Một trang ngắn.</p></main>",
    "/wide": HEAD + '<link rel="stylesheet" href="/wide.css"><body><main><h1>Rộng</h1><p class="wide">x</p></main>',
    "/wide.css": ".wide { width: 900px; background: #eee }",
    "/style": HEAD + '<body><main><h1>Kiểu</h1><p style="color: red">x</p></main>',
    "/elsewhere": HEAD + '<script src="/elsewhere.js"></script><body><main><h1>Xa</h1></main>',
    "/elsewhere.js": 'fetch("http://example.org/x").catch(() => {});',
    "/fault": HEAD + '<script src="/fault.js"></script><body><main><h1>Lỗi</h1></main>',
    "/fault.js": "undefinedFunction();",
    "/inaccessible": HEAD + '<body><main><h1>Ảnh</h1><img src="data:,"><input></main>',
}


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        text = PAGES.get(self.path)
        kind = {"css": "text/css", "js": "text/javascript"}.get(self.path.rpartition(".")[2], "text/html")
        self.send_response(200 if text else 404)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        open_policy = POLICY.replace("script-src 'self'", "script-src 'self'; connect-src *")
        self.send_header("Content-Security-Policy", open_policy)
        self.end_headers()
        self.wfile.write((text or "").encode())

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_good_page_passes(pages, page, watch):
    page.goto(pages + "/good")
    assert tools.faults(page) == []
    assert watch.faults == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/style", "content policy breached"),
        ("/elsewhere", "request to elsewhere: http://example.org/x"),
        ("/fault", "script fault"),
    ],
)
def test_a_faulty_page_would_be_found(pages, page, watch, path, words):
    page.goto(pages + path)
    page.wait_for_load_state("networkidle")
    for _ in range(100):
        # A browser tells of a breach when it comes to it; a busy machine takes longer.
        if watch.faults:
            break
        page.wait_for_timeout(100)
    found, watch.faults[:] = list(watch.faults), []
    assert any(words in fault for fault in found), found


def test_what_is_too_wide_would_be_found(pages, page):
    page.goto(pages + "/wide")
    found = tools.overflow(page)
    assert [fault.split(":")[0] for fault in found] == ["at 360 px", "at 320 px"]
    assert "p.wide" in found[0]


def test_what_is_inaccessible_would_be_found(pages, page):
    page.goto(pages + "/inaccessible")
    found = " ".join(tools.axe(page))
    assert "image-alt" in found and "label" in found


def test_the_first_visit_is_weighed(browser, pages):
    weight = tools.first_load(browser, pages + "/wide")
    assert set(weight.parts) >= {pages + "/wide", pages + "/wide.css"}
    assert weight.total == sum(weight.parts.values()) > 200


def test_a_visitor_without_scripts_runs_none(pages, visitor, watch):
    page = visitor(scripts=False)
    page.goto(pages + "/fault")
    assert watch.faults == []
