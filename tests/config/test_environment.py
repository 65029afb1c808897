"""A wrong setting is answered by a sentence that names it."""

import pyrage
import pytest

from gandan.config import environment

pytestmark = pytest.mark.agnostic


def test_an_empty_environment_is_a_trial_on_this_machine():
    found = environment.read({})
    assert found.is_loopback and not found.is_secure and not found.demo


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"GANDAN_URL": "http://congan.example.vn"}, "loopback"),
        ({"GANDAN_URL": "congan"}, "GANDAN_URL"),
        ({"GANDAN_URL": "https://congan.example.vn", "GANDAN_DEMO": "1"}, "loopback only"),
        ({"GANDAN_DEMO": "yes"}, "GANDAN_DEMO is 1 or 0"),
        ({"GANDAN_TODAY": "23/11/2026"}, "date like 2026-11-23"),
        ({"GANDAN_PROXIES": "my-proxy"}, "GANDAN_PROXIES holds addresses"),
        ({"DATABASE_URL": "mysql://x"}, "postgresql://"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence(variables, words):
    with pytest.raises(environment.SettingError, match=words):
        environment.read(variables)


def test_https_makes_cookies_secure():
    assert environment.read({"GANDAN_URL": "https://congan.example.vn"}).is_secure


def test_every_setting_says_what_it_is_for():
    assert all(name and meaning.endswith(".") for name, _, meaning in environment.table())


def test_a_body_outside_is_named_with_its_key_or_not_at_all():
    key = str(pyrage.x25519.Identity.generate().to_public())
    found = environment.read({"GANDAN_OUTSIDE_BODY": "Viện kiểm sát", "GANDAN_OUTSIDE_KEY": key})
    assert (found.outside_body, found.outside_key) == ("Viện kiểm sát", key)
    for wrong, words in (
        ({"GANDAN_OUTSIDE_BODY": "Viện kiểm sát"}, "set together"),
        ({"GANDAN_OUTSIDE_KEY": key}, "set together"),
        ({"GANDAN_OUTSIDE_BODY": "V" * 201, "GANDAN_OUTSIDE_KEY": key}, "200 letters"),
        ({"GANDAN_OUTSIDE_BODY": "V", "GANDAN_OUTSIDE_KEY": key[:-1]}, "begins with age1"),
        ({"GANDAN_OUTSIDE_BODY": "V", "GANDAN_OUTSIDE_KEY": "AGE-SECRET-KEY-1"}, "begins with age1"),
    ):
        with pytest.raises(environment.SettingError, match=words):
            environment.read(wrong)
