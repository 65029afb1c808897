"""Two of three holders bring a secret back; one learns nothing."""

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandan.secrecy import shamir

pytestmark = pytest.mark.agnostic


@settings(max_examples=50)
@given(st.binary(min_size=1, max_size=80), st.integers(2, 4), st.integers(0, 3))
def test_any_enough_shares_give_the_secret(secret, needed, more):
    shares = shamir.split(secret, needed=needed, shares=needed + more)
    for chosen in itertools.combinations(shares, needed):
        assert shamir.combine({x: shares[x] for x in chosen}) == secret


def test_one_share_says_nothing_of_a_byte():
    # With two needed, a share's byte is uniform whatever the secret: every value turns up about as often.
    seen = Counter(shamir.split(b"\x07", needed=2, shares=2)[1][0] for _ in range(25_600))
    expected = 100
    chi_square = sum((seen[value] - expected) ** 2 / expected for value in range(256))
    assert chi_square < 400, "far in the tail for 255 degrees of freedom"


def test_the_field_is_that_of_the_advanced_encryption_standard():
    # FIPS 197, section 4.2: {57} x {83} = {c1}, {57} x {13} = {fe}.
    assert shamir.multiply(0x57, 0x83) == 0xC1
    assert shamir.multiply(0x57, 0x13) == 0xFE
    assert all(shamir.multiply(a, shamir.inverse(a)) == 1 for a in range(1, 256))


def test_shares_of_different_secrets_give_neither():
    first, second = (shamir.split(secret, needed=2, shares=3) for secret in (b"a" * 32, b"b" * 32))
    assert shamir.combine({1: first[1], 2: second[2]}) not in (b"a" * 32, b"b" * 32)


def test_what_cannot_be_split_is_refused():
    for needed, shares, secret in ((1, 3, b"x"), (3, 2, b"x"), (2, 256, b"x"), (2, 3, b"")):
        with pytest.raises(ValueError, match="holders"):
            shamir.split(secret, needed=needed, shares=shares)
    with pytest.raises(ValueError, match="belong together"):
        shamir.combine({1: b"ab", 2: b"a"})
    with pytest.raises(ZeroDivisionError):
        shamir.inverse(0)
