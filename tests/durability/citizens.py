"""People who bring things over the web, over and over, and write down outside what was acknowledged to them."""

import hashlib
import http.client
import io
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

TOKEN = "0123456789abcdefABCDEF0123456789"
_REFERENCE = re.compile(r"GD-[0-9A-Z]{4}-[0-9A-Z]{4}")
_CODE = re.compile(
    r"\d{4}(?:\s|&nbsp;|</?span[^>]*>)+\d{4}(?:\s|&nbsp;|</?span[^>]*>)+\d{4}(?:\s|&nbsp;|</?span[^>]*>)+\d{4}"
)
TRANSIENT = {429, 503, 507}


class Disappointed(AssertionError):
    """The server answered what it may never answer, such as that an acknowledged draft is unknown."""


@dataclass(frozen=True)
class Receipt:
    reference: str
    code: str


@dataclass
class Errand:
    """One thing that somebody brings: what has been acknowledged of it so far."""

    text: str
    pictures: list[tuple[bytes, str]]
    """Each as it is sent, and the digest under which it must be kept."""
    named: bool = True
    draft: UUID | None = None
    step: int = 0
    kept: list[str] = field(default_factory=list)
    """Digests of the pictures whose arrival was acknowledged."""
    receipt: Receipt | None = None
    tries: int = 0


class Ledger:
    """What was acknowledged, kept outside of what may be lost."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.errands: list[Errand] = []
        self.receipts = 0
        self.tries = 0
        self.refused: Counter[int] = Counter()
        self.faults: list[str] = []

    def add(self, errand: Errand) -> None:
        with self.lock:
            self.errands.append(errand)

    def acknowledge(self, errand: Errand, receipt: Receipt) -> None:
        with self.lock:
            if errand.receipt is None:
                errand.receipt = receipt
                self.receipts += 1
            elif errand.receipt != receipt:
                self.faults.append(f"{errand.draft}: first {errand.receipt}, then {receipt}")

    def complain(self, sentence: str) -> None:
        with self.lock:
            self.faults.append(sentence)


class Browser:
    """As much of a browser as a form needs: one connection, a token, redirects told but not followed."""

    def __init__(self, address: str, timeout: float = 30) -> None:
        self.place, self.timeout = urlsplit(address).netloc, timeout
        self.connection: http.client.HTTPConnection | None = None

    def post(self, path: str, values: dict[str, str], picture: bytes | None = None) -> tuple[int, str, str]:
        """Return (status, location, page). Raises OSError or HTTPException when no whole answer came."""
        values = {"csrfmiddlewaretoken": TOKEN, **values}
        headers = {"Cookie": f"gandan-csrf={TOKEN}", "Origin": f"http://{self.place}"}
        if picture is None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode(values).encode()
        else:
            edge = uuid4().hex
            headers["Content-Type"] = f"multipart/form-data; boundary={edge}"
            parts = [
                f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
                for name, value in values.items()
            ]
            parts.append(
                f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
                f"Content-Type: image/png\r\n\r\n".encode()
                + picture
                + f"\r\n--{edge}--\r\n".encode()
            )
            body = b"".join(parts)
        answer = None
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.place, timeout=self.timeout)
            self.connection.request("POST", path, body, headers)
            answer = self.connection.getresponse()
            page = answer.read().decode()
        except BaseException:
            if answer is not None:
                answer.close()
            self.close()
            raise
        if answer.will_close:
            self.close()
        return answer.status, answer.headers.get("Location", ""), page

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


class TryAgain(Exception):
    """An honest refusal: nothing was saved."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


def walk(browser: Browser, errand: Errand, slug: str, ledger: Ledger) -> Receipt:
    """Go on with an errand from where its last acknowledgement left it, up to the receipt."""

    def ask(path: str, values: dict[str, str], picture: bytes | None = None) -> tuple[int, str, str]:
        errand.tries += 1
        status, location, page = browser.post(path, values, picture)
        if status in TRANSIENT:
            raise TryAgain(status)
        if 300 <= status < 400 and not location:
            raise http.client.IncompleteRead(b"the answer was cut in its head")
        if status >= 400:
            raise Disappointed(f"{path} answered {status}: {_words(page)}")
        return status, location, page

    if errand.draft is None:
        _, location, _ = ask(f"/report/?unit={slug}", {"kind": "FB-01"})
        errand.draft = UUID(location.split("/")[2])
        ledger.add(errand)
    here = f"/report/{errand.draft}"
    if errand.step < 1:
        ask(f"{here}/what/", {"text": errand.text})
        errand.step = 1
    for picture, digest in errand.pictures:
        if digest not in errand.kept:
            ask(f"{here}/files/", {}, picture)
            errand.kept.append(digest)
    if errand.step < 2:
        ask(f"{here}/who/", {"anonymous": "no", "name": "Hoa"} if errand.named else {"anonymous": "yes"})
        errand.step = 2
    return send(ask, here)


def send(ask: Callable[..., tuple[int, str, str]], here: str) -> Receipt:
    """Press the button under a filled form; return what the page says was received."""
    status, location, page = ask(f"{here}/check/", {})
    reference, code = _REFERENCE.search(page), _CODE.search(page)
    if status != 200 or reference is None or code is None:
        raise Disappointed(f"{here}/check/ answered {status} {location} without a receipt: {_words(page)}")
    return Receipt(reference[0], "".join(re.findall(r"\d", re.sub(r"<[^>]+>", "", code[0]))))


class Citizen(threading.Thread):
    """Brings one thing after another until told to stop; tries again, whatever happens to the server."""

    def __init__(
        self, address: str, slug: str, ledger: Ledger, stop: threading.Event, errands: Iterable[Errand]
    ) -> None:
        super().__init__(daemon=True)
        self.browser, self.slug, self.ledger, self.stop = Browser(address), slug, ledger, stop
        self.errands = iter(errands)
        self.unfinished: Errand | None = None

    def run(self) -> None:
        try:
            self._bring()
        finally:
            self.browser.close()

    def _bring(self) -> None:
        while not self.stop.is_set():
            errand = self.unfinished or next(self.errands, None)
            if errand is None:
                return
            self.unfinished = errand
            try:
                self.ledger.acknowledge(errand, walk(self.browser, errand, self.slug, self.ledger))
                self.unfinished = None
            except Disappointed as error:
                self.ledger.complain(str(error))
                self.unfinished = None
            except TryAgain as refused:
                with self.ledger.lock:
                    self.ledger.refused[refused.status] += 1
                time.sleep(0.05)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)


def errands(seed: int, *, pictures: Callable[[random.Random], list[tuple[bytes, str]]]) -> Iterable[Errand]:
    """Yield errands without end; every tenth person stays unnamed."""
    drawn = random.Random(seed)
    number = 0
    while True:
        number += 1
        yield Errand(f"Đường vào bản tối, cột số {seed}-{number}", pictures(drawn), named=number % 10 != 0)


def picture(drawn: random.Random) -> tuple[bytes, str]:
    """Return a picture that nobody sent before and the digest under which the house keeps it."""
    from PIL import Image

    from gandan.cases import cleaning

    out = io.BytesIO()
    Image.frombytes("RGB", (96, 96), drawn.randbytes(96 * 96 * 3)).save(out, "PNG")
    _, content = cleaning.clean(out.getvalue())
    return out.getvalue(), hashlib.sha256(content).hexdigest()


def _words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())[:300]
