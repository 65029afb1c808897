"""A hostile client at the real server, with raw bytes: nothing breaks, nothing leaks, nothing is done by trick."""

import http.client
import json
import re
import socket
from urllib.parse import urlsplit

import pytest

CRLF = "\r\n"


@pytest.fixture(scope="module")
def server(prepared):
    live = prepared.copy()
    try:
        live.start()
        yield live
    finally:
        live.stop()
        prepared.drop(live)


def raw(server, *lines, body=b"", wait=20):
    """Send bytes as they are; return the status (0 when the server hung up) and everything that came back."""
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=wait) as line:
        head = CRLF.join(lines) + CRLF * 2
        try:
            line.sendall(head.encode("latin-1") + body)
        except OSError:
            return 0, b""
        found = b""
        try:
            while piece := line.recv(65536):
                found += piece
        except (ConnectionResetError, TimeoutError):
            pass
    status = re.match(rb"HTTP/1\.[01] (\d{3})", found)
    return int(status[1]) if status else 0, found


def asked(server, method, path, body=None, **headers):
    line = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    try:
        line.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = line.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        line.close()


def host(server):
    return f"Host: {urlsplit(server.url).netloc}"


def part(boundary, text):
    return text.replace("\n", CRLF).replace("B", boundary).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x",
        b"--x\r\n\r\n--x--",
        b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n',
        b'--x\r\nContent-Disposition: form-data; name="\x00"\r\n\r\n\x00\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%\r\n--x--\r\n',
        b"--x\r\n" + b"X: y\r\n" * 5000 + b"\r\na\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 2000 + b"--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="../../x"\r\n\r\n1\r\n' * 50 + b"--x--\r\n",
        b"--" + b"x" * 5000,
    ],
)
@pytest.mark.parametrize("path", ["/report/", "/follow/", "/api/v1/matters/with-files"])
def test_a_malformed_form_is_no_fault_of_the_server(server, body, path):
    status, found = raw(
        server,
        f"POST {path} HTTP/1.1",
        host(server),
        "Content-Type: multipart/form-data; boundary=x",
        f"Content-Length: {len(body)}",
        "Connection: close",
        body=body,
    )
    assert 400 <= status < 500, found[:300]
    assert b"Traceback" not in found and b"site-packages" not in found


@pytest.mark.parametrize(
    "kind",
    [
        "text/xml", "application/x-www-form-urlencoded; charset=utf-7", "multipart/form-data",
        "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 300,
        "application/json; charset=utf-32",
        "\x80\xff", "a/b; charset=" + "x" * 500, "application/x-www-form-urlencoded; charset=nonsense",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/report/", "/follow/", "/api/v1/matters", "/api/v1/follow/files"])
def test_a_body_of_an_odd_kind_is_no_fault_of_the_server(server, kind, path):
    body = b"code=1&text=+ADw-script+AD4-"
    status, found = raw(
        server,
        f"POST {path} HTTP/1.1",
        host(server),
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        body=body,
    )
    assert status == 0 or 400 <= status < 500, found[:300]


@pytest.mark.parametrize(
    "lines",
    [
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Transfer-Encoding: chunked"],
        ["Content-Length: -1"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 99999999999999999999"],
        ["Content-Length: abc"],
        ["Transfer-Encoding: identity, chunked, chunked"],
    ],
)
def test_lengths_that_contradict_each_other_smuggle_nothing(server, lines):
    status, found = raw(
        server,
        "POST /follow/ HTTP/1.1",
        host(server),
        "Content-Type: application/x-www-form-urlencoded",
        "Connection: close",
        *lines,
        body=b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
        wait=5,
    )
    assert status < 500
    assert found.count(b"HTTP/1.1 ") <= 2 and b"smuggled" not in found


def test_words_in_pieces_are_read_or_refused_alike(server):
    """A body without a length never counts as a body of length nought that skips the checks."""
    body = json.dumps({"code": "1234567890123456"}).encode()
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[at : at + 7]), body[at : at + 7]) for at in range(0, len(body), 7))
    status, found = raw(
        server,
        "POST /api/v1/follow HTTP/1.1",
        host(server),
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
        "Connection: close",
        body=pieces + b"0\r\n\r\n",
    )
    assert 400 <= status < 500 and b"problem+json" in found


def test_a_body_larger_than_any_form_is_refused_before_it_is_read(server):
    for path, kind in (("/follow/", "multipart/form-data; boundary=x"), ("/api/v1/matters", "application/json")):
        status, _found = raw(
            server,
            f"POST {path} HTTP/1.1",
            host(server),
            f"Content-Type: {kind}",
            f"Content-Length: {10**12}",
            "Connection: close",
            wait=15,
        )
        assert status in (0, 400, 403, 413), (path, status)


def test_huge_and_many_headers_are_refused(server):
    for lines in ([f"X-A: {'a' * 300_000}"], [f"X-{n}: a" for n in range(3000)], [f"Cookie: {'a=b; ' * 20_000}"]):
        status, _found = raw(server, "GET /follow/ HTTP/1.1", host(server), "Connection: close", *lines)
        assert status == 0 or 200 <= status < 500
    assert asked(server, "GET", "/follow/")[0] == 200


@pytest.mark.parametrize(
    "target",
    [
        "/units/%00/", "/units/%0d%0aSet-Cookie:x=1/", "/%2e%2e/%2e%2e/etc/passwd", "/static/../../gandan.sqlite3",
        "/static/%2e%2e/%2e%2e/keys/django", "/procedures/%c0%af/", "/procedures/%ff/", "//evil.example/%2f..",
        "/%5cevil.example", "/units/" + "a" * 60_000 + "/", "/search/?q=%00", "/search/?q=" + "%ED%A0%80" * 10,
        "/units/?q=" + "a" * 60_000, "/results/?period=%00", "/en/results/?period=" + "9" * 5000,
        "/results/?format=xml",
        "/follow/files/00000000-0000-0000-0000-000000000000/", "/report/?unit=%00&kind=%00", "/?" + "a=b&" * 2000,
        "/api/v1/units/%00", "/api/v1/calendar/" + "9" * 4500, "/api/v1/results?period=%00", "/account/login/?next=%00",
        "/desk/?after=%00", "/media/x", "/files/", "/.git/config", "/.env",
    ],
)  # fmt: skip
def test_an_odd_address_is_answered_without_a_fault_or_a_secret(server, target):
    status, found = raw(server, f"GET {target} HTTP/1.1", host(server), "Connection: close")
    assert status == 0 or status < 500, (status, found[:200])
    assert b"Set-Cookie: x=1" not in found and b"root:" not in found and b"SQLite format" not in found
    where = re.search(rb"(?i)\r\nlocation: ([^\r\n]*)", found)
    assert not where or re.match(rb"/(?![/\\])|\?", where[1]), where


def test_a_false_host_names_no_address(server):
    for lines in (
        ["Host: evil.example"],
        ["Host: evil.example", host(server)],
        [host(server), "X-Forwarded-Host: evil.example"],
        [host(server), "Forwarded: host=evil.example"],
        [host(server), "X-Original-URL: /desk/", "X-Rewrite-URL: /desk/"],
        [],
    ):
        status, found = raw(server, "GET /follow/ HTTP/1.1", *lines, "Connection: close")
        assert status < 500 and b"evil.example" not in found, lines


def test_no_header_turns_one_method_into_another(server):
    status, _headers, _body = asked(server, "GET", "/demo/sit/officer/", X_HTTP_Method_Override="POST")
    assert status in (404, 405)
    status, headers, _body = asked(
        server, "GET", "/api/v1/follow", X_HTTP_Method_Override="POST", X_Method_Override="POST"
    )
    assert status == 405 and headers["Allow"] == "POST"
    for method in ("TRACE", "TRACK", "CONNECT", "PROPFIND", "DEBUG"):
        status, _headers, body = asked(server, method, "/api/v1/units")
        assert 400 <= status < 500 and b"X-Secret" not in body


def test_a_form_without_its_token_changes_nothing(server):
    for origin in ({}, {"Origin": "https://evil.example"}, {"Referer": "https://evil.example/"}, {"Origin": "null"}):
        status, _headers, _body = asked(
            server, "POST", "/report/", "kind=FB-01", Content_Type="application/x-www-form-urlencoded", **origin
        )
        assert status == 403


def test_signing_in_leads_nowhere_else(server):
    for way in (
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
    ):
        for path in ("/account/login/?next=", "/en/account/login/?next=", "/account/logout/?next=", "/theme/?next="):
            _status, headers, body = asked(server, "GET", path + way.replace("\\", "%5c"))
            assert "evil" not in headers.get("Location", "") and "javascript" not in headers.get("Location", "")
            assert b'href="' + way.encode() not in body


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_who_has_signed_in_is_led_nowhere_else(way):
    from django.test import Client

    from gandan.accounts.models import User

    user = User.objects.create_user("pao", None, full_name="Pao")
    user.set_password("một mật khẩu thật dài")
    user.save()
    answer = Client().post("/account/login/", {"login": "pao", "password": "một mật khẩu thật dài", "next": way})
    assert answer.status_code == 302 and "evil" not in answer["Location"] and "script" not in answer["Location"]


def test_what_one_reader_gets_is_kept_for_no_other(server):
    """A cache in front may keep nothing private, and nothing in one language for a reader of another."""
    for path in ("/follow/", "/report/", "/account/login/", "/desk/"):
        _status, headers, _body = asked(server, "GET", path)
        assert re.search("no-store|no-cache|private|max-age=0", headers["Cache-Control"]), path
    for path in ("/api/v1/units", "/api/v1/procedures", "/api/v1/cases"):
        _status, headers, _body = asked(server, "GET", path)
        assert "Accept-Language" in headers["Vary"] and "Cookie" in headers["Vary"]
    _status, headers, body = asked(server, "GET", "/follow/", X_Forwarded_Prefix="/evil", X_Forwarded_Scheme="evil")
    assert b"/evil" not in body


def test_a_field_that_comes_twice_is_not_the_one_that_was_not_looked_at(server):
    body = json.dumps({"code": "1"})[:-1] + ', "code": "2"}'
    status, _headers, told = asked(server, "POST", "/api/v1/follow", body, Content_Type="application/json")
    assert status == 400 and json.loads(told)["detail"]
    status, _headers, _told = asked(server, "GET", "/api/v1/units?limit=1&limit=500")
    assert status == 422


def test_every_answer_carries_the_headers_of_the_house(server):
    for path in ("/", "/nothing", "/api/v1/units", "/api/v1/nothing", "/api/v1/openapi.json", "/static/nothing.css"):
        _status, headers, _body = asked(server, "GET", path)
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert "default-src 'none'" in headers["Content-Security-Policy"], path
        assert not {"Server", "X-Powered-By"} & set(headers), (path, headers.get("Server"))


def test_the_server_still_answers_after_all_this(server):
    assert asked(server, "GET", "/")[0] == 200
    said = server.log.read_text(errors="replace")
    assert "Internal Server Error" not in said, said[-3000:]
