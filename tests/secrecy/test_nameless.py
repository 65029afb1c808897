"""Who brings something without a name leaves no address and no browser anywhere on the machine."""

import gzip
import http.client
import io
import json
import re
import sqlite3
import tarfile
import uuid
import zipfile
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import RequestFactory

from gandan.access import today
from gandan.secrecy import middleware
from tests.hostile.corpus import photo_with_position

ADDRESS, AGENT = "203.0.113.7", "Canary-Agent-7f3a91"
FOUND = (ADDRESS.encode(), AGENT.encode(), b"203.0.113", bytes((203, 0, 113, 7)) + b"\x00canary")
TELLING = {
    "X-Forwarded-For": ADDRESS,
    "X-Real-IP": ADDRESS,
    "Forwarded": f"for={ADDRESS}",
    "True-Client-IP": ADDRESS,
    "User-Agent": AGENT,
    "X-Device": AGENT,
}


def traces(*roots: Path) -> list[str]:
    """Return the files that hold a canary, also inside archives."""
    hits = []
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.is_symlink():
                hits += [f"{path}: {name}" for name, data in _layers(path) if any(word in data for word in FOUND)]
    return hits


def _layers(path):
    data = path.read_bytes()
    yield "", data
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
        yield "unpacked", data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from ((name, archive.read(name)) for name in archive.namelist())
    elif tarfile.is_tarfile(io.BytesIO(data)):
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                stream = archive.extractfile(member)
                if stream is not None:
                    yield member.name, stream.read()


class Citizen:
    """Somebody whose requests tell everything about them."""

    def __init__(self, url):
        self.netloc, self.cookies = urlsplit(url).netloc, {}

    def ask(self, method, path, body=None, kind="application/x-www-form-urlencoded"):
        connection = http.client.HTTPConnection(self.netloc, timeout=60)
        headers = {**TELLING, "Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = kind
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        for value in answer.headers.get_all("Set-Cookie") or []:
            name, _, rest = value.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        said = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, said, answer.headers.get("Location", "")

    def send(self, path, **fields):
        _status, page, _to = self.ask("GET", path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        return self.ask("POST", path, urlencode({**fields, "csrfmiddlewaretoken": token[1] if token else ""}))


@pytest.mark.sqlite
def test_a_report_through_the_real_server_leaves_no_trace_of_its_sender(prepared, tmp_path, figure):
    server = prepared.copy()
    scratch = server.home / "scratch"
    scratch.mkdir()
    server.environment |= {"TMPDIR": str(scratch), "SQLITE_TMPDIR": str(scratch)}
    server.start()
    try:
        citizen = Citizen(server.url)
        with closing(sqlite3.connect(f"file:{server.home / 'gandan.sqlite3'}?mode=ro", uri=True)) as database:
            chosen = "SELECT slug FROM units_unit WHERE level = 'commune' AND valid_to IS NULL ORDER BY slug"
            slug = database.execute(chosen).fetchone()[0]
        status, page, to = citizen.send("/report/", kind="FB-01")
        assert status == 302, page[:500]
        assert citizen.ask("GET", to)[0] == 200
        boundary, name = "b" * 20, "anh.jpg"
        fields = {
            "id": str(uuid.uuid4()),
            "procedure": "FB-01",
            "unit": slug,
            "text": "Đường hỏng.",
            "anonymous": "true",
        }
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()
        ]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body = "".join(parts).encode() + head.encode() + photo_with_position() + f"\r\n--{boundary}--\r\n".encode()
        kind = f"multipart/form-data; boundary={boundary}"
        status, said, _to = citizen.ask("POST", "/api/v1/matters/with-files", body, kind)
        assert status == 201, said
        code = json.loads(said)["code"]
        for tried in (code, "1234567890123456"):
            assert citizen.send("/follow/", code=tried)[0] in (200, 422)
        assert citizen.ask("GET", f"/report/{uuid.uuid4()}/what/")[0] == 404
        assert server.command("work", "--once").returncode == 0
        made = server.command("backup", str(server.home / "copy.backup"), "--unencrypted")
        assert made.returncode == 0, made.stderr
        assert list(server.home.glob("*-wal")), "the journal of the database is looked into while it is in use"
        found = traces(server.home)
        figure(
            16,
            "nameless",
            title="Places that keep the address or the browser of somebody who reported without a name",
            target="none: database and its journal, files, logs, scratch files, a backup",
            command="python -m pytest tests/secrecy/test_nameless.py --results benchmarks/results/secrecy",
            figures={
                "files searched": sum(path.is_file() for path in server.home.rglob("*")),
                "with a trace": [str(Path(hit).relative_to(server.home)) for hit in found],
                "headers that tell": len(TELLING),
            },
            kept=not found,
        )
        assert found == []
        # The control: the same search finds what is planted anywhere.
        (scratch / "left").write_bytes(b"x" * 5000 + ADDRESS.encode())
        noticed = len(traces(server.home)) == 1
        figure.control("nameless", "an address in a scratch file", noticed=noticed)
        assert noticed
    finally:
        server.stop()
        prepared.drop(server)


@pytest.mark.agnostic
def test_the_search_finds_what_is_planted(tmp_path, figure):
    (tmp_path / "open.log").write_bytes(b"... " + AGENT.encode())
    (tmp_path / "packed.gz").write_bytes(gzip.compress(ADDRESS.encode()))
    with zipfile.ZipFile(tmp_path / "packed.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", ADDRESS * 3)
    noticed = len(traces(tmp_path)) == 3
    figure.control("nameless", "a browser in a log, an address in a packed file and in an archive", noticed=noticed)
    assert noticed


@pytest.mark.agnostic
@pytest.mark.parametrize(
    "path", ["/report/", "/en/report/", "/follow/", "/follow/files/x/", "/api/v1/follow", "/api/v1/matters"]
)
def test_anonymous_pages_are_told_nothing_of_the_sender(path):
    seen = []
    request = RequestFactory().get(
        path, REMOTE_ADDR=ADDRESS, REMOTE_HOST="host", HTTP_USER_AGENT=AGENT, HTTP_X_NEW=AGENT
    )
    middleware.Nameless(lambda request: seen.append(dict(request.META)))(request)
    told = "".join(f"{name}={value}" for name, value in seen[0].items())
    assert ADDRESS not in told and AGENT not in told and "host" not in seen[0].values()
    assert "user-agent" not in request.headers


@pytest.mark.agnostic
def test_other_pages_keep_what_signing_in_is_guarded_by():
    request = RequestFactory().get("/account/login/", REMOTE_ADDR=ADDRESS)
    middleware.Nameless(lambda request: None)(request)
    assert request.META["REMOTE_ADDR"] == ADDRESS


@pytest.mark.agnostic
def test_a_bucket_tells_senders_apart_for_a_day_and_leads_back_to_nobody(monkeypatch):
    from datetime import timedelta

    here = middleware.bucket_of(ADDRESS, today())
    assert here == middleware.bucket_of(ADDRESS, today()) != middleware.bucket_of("203.0.113.8", today())
    assert here != middleware.bucket_of(ADDRESS, today() + timedelta(days=1))
    monkeypatch.delenv("GANDAN_BUCKETS")
    assert here != middleware.bucket_of(ADDRESS, today()), "another start, another key"
