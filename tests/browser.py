"""What a journey asks of a page beside its words: is it accessible, does it fit, how heavy is it?

The browser talks to the loopback address only. Every page of a journey is watched: a fault in its scripts, a
breach of its content policy or a request to elsewhere fails the test at its end.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Playwright, Request, WebError

from tests import engines

ROOT = Path(__file__).resolve().parent.parent
AXE = ROOT / "frontend/node_modules/axe-core/axe.min.js"
WIDTHS = (1366, 360, 320)
LOOPBACK = {"127.0.0.1", "localhost", "[::1]", "::1"}
_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
_WATCH = """
document.addEventListener("securitypolicyviolation", (e) =>
  console.error(`securitypolicyviolation: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile ?? ""}`));
"""
_OVERFLOW = """
() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const name = (e) => e.tagName.toLowerCase() + [...e.classList].map((c) => "." + c).join("");
  const wide = [...document.body.querySelectorAll("*")].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && box.right > width + 0.5;
  });
  const outermost = wide.filter((e) => !wide.includes(e.parentElement));
  return (outermost.length ? outermost : [document.documentElement]).slice(0, 5).map(
    (e) => `${name(e)} reaches ${Math.round(e.getBoundingClientRect().right)} of ${width} px`);
}
"""
_AXE = """
async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations.map((v) => ({
    rule: v.id, impact: v.impact, help: v.help,
    at: v.nodes.slice(0, 5).map((n) => `${n.target.join(" ")} ${n.failureSummary ?? ""}`.trim()),
  }));
}
"""


def launch(playwright: Playwright) -> Browser:
    """Start the machine's Chromium, without a window and without a way to the outside."""
    flags = [*_FLAGS, "--no-sandbox"] if os.geteuid() == 0 else list(_FLAGS)
    return playwright.chromium.launch(executable_path=str(engines.browser()), args=flags)


@contextmanager
def arriving() -> Iterator[None]:
    """Let a click or a key wait until the page that it leads to is there whole.

    By itself it waits for the first bytes only; what a slow machine then reads, counts or measures is a page
    without its main part.
    """

    def waiting(act: Callable[..., None]) -> Callable[..., None]:
        @wraps(act)
        def through(at: Locator, *arguments: Any, **options: Any) -> None:
            act(at, *arguments, **options)
            at.page.wait_for_load_state("load")

        return through

    own = {name: getattr(Locator, name) for name in ("click", "press")}
    for name, act in own.items():
        setattr(Locator, name, waiting(act))
    try:
        yield
    finally:
        for name, act in own.items():
            setattr(Locator, name, act)


@dataclass
class Watch:
    """The faults that the pages of one test showed."""

    faults: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Watch every page of the context. To be called before the first page: a listener set later misses faults."""
        context.add_init_script(_WATCH)
        context.on("weberror", lambda fault: self.faults.append(f"script fault on {_address(fault)}: {fault.error}"))
        context.on("console", self._console)
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "securitypolicyviolation" in message.text:
            self.faults.append(f"content policy breached on {_address(message)}: {message.text}")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob", "about"} and address.hostname not in LOOPBACK:
            self.faults.append(f"request to elsewhere: {request.url}")


def _address(seen: ConsoleMessage | WebError) -> str:
    return seen.page.url if seen.page else "a page that is gone"


def axe(page: Page) -> list[str]:
    """Return the serious and critical faults that axe-core finds on the page as it is now."""
    if not AXE.exists():
        raise engines.MissingPart(f"{AXE.relative_to(ROOT)} is missing: run script/setup, which builds the front end")
    session = page.context.new_cdp_session(page)
    try:
        # Not through the page: its content policy forbids scripts that it did not bring.
        answer = session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8") + ";0"})
        if "exceptionDetails" in answer:
            raise AssertionError(f"axe-core did not load: {json.dumps(answer['exceptionDetails'])[:500]}")
        answer = session.send(
            "Runtime.evaluate", {"expression": f"({_AXE})()", "awaitPromise": True, "returnByValue": True}
        )
    finally:
        session.detach()
    if "exceptionDetails" in answer:
        raise AssertionError(f"axe-core failed: {json.dumps(answer['exceptionDetails'])[:500]}")
    return [
        f"{found['rule']} ({found['impact']}): {found['help']}: {'; '.join(found['at'])}"
        for found in answer["result"]["value"]
        if found["impact"] in {"serious", "critical"}
    ]


def overflow(page: Page, widths: tuple[int, ...] = WIDTHS) -> list[str]:
    """Return what reaches beyond the right edge at each width; the window keeps its first size afterwards."""
    before = page.viewport_size
    faults = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        faults += [f"at {width} px: {fault}" for fault in page.evaluate(_OVERFLOW)]
    if before:
        page.set_viewport_size(before)
    return faults


def faults(page: Page) -> list[str]:
    """Return all that is wrong with the page: accessibility, then anything wider than the window."""
    return axe(page) + overflow(page)


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes over the wire at a first visit, headers included: in all, and by address."""

    total: int
    parts: dict[str, int]


@contextmanager
def _measured(page: Page) -> Iterator[dict[str, int]]:
    session = page.context.new_cdp_session(page)
    addresses: dict[str, str] = {}
    parts: dict[str, int] = {}

    def sent(event: dict[str, object]) -> None:
        addresses[str(event["requestId"])] = str(event["request"]["url"])  # type: ignore[index]

    def loaded(event: dict[str, object]) -> None:
        address = addresses.get(str(event["requestId"]), "?")
        parts[address] = parts.get(address, 0) + int(event["encodedDataLength"])  # type: ignore[call-overload]

    session.on("Network.requestWillBeSent", sent)
    session.on("Network.loadingFinished", loaded)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    yield parts
    session.detach()


def first_load(browser: Browser, address: str) -> Weight:
    """Return what a first visit to `address` weighs, with nothing kept from before."""
    context = browser.new_context(locale="vi-VN", viewport={"width": 360, "height": 800})
    try:
        page = context.new_page()
        with _measured(page) as parts:
            page.goto(address, wait_until="networkidle")
        return Weight(sum(parts.values()), dict(parts))
    finally:
        context.close()
