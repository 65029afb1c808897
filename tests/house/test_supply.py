"""What the product is made of, as far as it can be known without asking anybody; and that faults are found."""

import json
import subprocess
from email.message import Message

import pytest

from tests import supply

PINNED = """\
a==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
b==2 ; python_version < '3.12' \\
    --hash=sha256:cc
"""


@pytest.mark.parametrize("name", ["pins", "secrets", "licences"])
def test_the_parts_are_pinned_licensed_and_free_of_secrets(name, tmp_path):
    found = supply.CHECKS[name](tmp_path)
    assert not found.faults and not found.unasked, found.faults
    assert found.told


def test_a_part_without_a_digest_would_be_found():
    assert list(supply.pins(PINNED)) == [("a", "1.0", 2), ("b", "2", 1)]
    assert list(supply.pins("a>=1.0\nb==2\n")) == [("a>=1.0", "", 0), ("b", "2", 0)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("-----BEGIN OPENSSH " + "PRIVATE KEY-----\n" + "A" * 60, "a private key"),
        ("AGE-SECRET-" + "KEY-1" + "Q" * 58, "an age key"),
        ("AKI" + "AIOSFODNN7EXAMPLE", "a key of a cloud"),
        ("ghp" + "_" + "a1" * 18, "a token of a code host"),
        ("postgresql" + "://gandan:hunter22@db.example.org/gandan", "a password in an address"),
        ("SECRET" + '_KEY = "' + "k" * 50 + '"', "a written key"),
    ],
)
def test_a_secret_would_be_found(text, kind):
    assert supply.secrets_in(f"x = 1\n{text}\n".encode()) == [kind]


def test_what_only_looks_like_a_secret_is_left_alone():
    for text in (
        "postgresql://gandan:password@127.0.0.1/gandan",
        "postgresql://gandan@127.0.0.1/gandan",
        "SECRET_KEY = keys",
    ):
        assert supply.secrets_in(text.encode()) == []


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("MIT AND OFL-1.1", True),
        ("GPL-3.0-only OR MIT", True),
        ("(Apache-2.0 OR BSD-3-Clause)", True),
        ("GPL-3.0-only", False),
        ("MIT AND AGPL-3.0-only", False),
        ("", False),
        ("Proprietary", False),
    ],
)
def test_only_licences_of_the_list_pass(expression, allowed):
    assert supply.is_allowed(expression) is allowed


def test_a_licence_is_read_where_a_part_declares_it():
    fields = Message()
    assert supply.licence_of(fields) == ""
    assert supply.licence_of(fields, ["The MIT License (MIT)\n\nCopyright"]) == "MIT"
    fields["License"] = "BSD 3-Clause"
    fields["Classifier"] = "License :: OSI Approved :: Apache Software License"
    assert supply.licence_of(fields) == "APACHE-2.0"
    fields["License-Expression"] = "ISC"
    assert supply.licence_of(fields) == "ISC"


def test_an_advisory_is_a_fault_and_no_answer_is_no_pass(capsys, tmp_path, monkeypatch):
    told = {"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}]}
    assert supply.read_pip_audit(json.dumps(told)) == (1, ["a 1: CVE-1, mended in 2"], [])
    told["dependencies"].append({"name": "b", "skip_reason": "not found"})
    assert supply.read_pip_audit(json.dumps(told)) == (1, ["a 1: CVE-1, mended in 2"], ["not found"])
    for silence in ("", "{}", '{"dependencies": []}', "no network"):
        assert supply.read_pip_audit(silence) is None
    whole = {"vulnerabilities": {"b": {"severity": "high", "range": "<2"}}, "metadata": {"dependencies": {"total": 4}}}
    assert supply.read_npm_audit(json.dumps(whole)) == (4, ["b: high, <2"])
    assert supply.read_npm_audit('{"error": {"code": "ENOTFOUND"}}') is None
    monkeypatch.setitem(supply.CHECKS, "npm", lambda to: supply.Found(unasked="could not be asked"))
    assert supply.report(["npm"], tmp_path) == supply.UNKNOWN
    monkeypatch.setattr(supply, "_run", lambda *command, **_: subprocess.CompletedProcess(command, 0, "", "no network"))
    assert supply.check_python_advisories(tmp_path).unasked and supply.check_npm_advisories(tmp_path).unasked
    assert "Not a pass" in capsys.readouterr().out


@pytest.mark.long
def test_two_builds_of_the_wheel_are_alike_and_the_parts_are_listed(tmp_path):
    for name in ("wheel", "parts"):
        found = supply.CHECKS[name](tmp_path)
        assert not found.faults, found.faults
