"""Splitting a secret so that some of its holders together can bring it back, and fewer learn nothing.

Source: Shamir, How to share a secret, CACM 22(11), 1979, over the field GF(2^8) of FIPS 197. Every byte is shared on
its own: the shares of a byte are the values of a random polynomial at 1, 2, 3, ..., whose value at 0 is the byte.
"""

import secrets
from collections.abc import Mapping


def split(secret: bytes, *, needed: int, shares: int) -> dict[int, bytes]:
    """Return `shares` shares by their number, any `needed` of which give the secret back.

    Raises ValueError unless 2 <= needed <= shares <= 255 and the secret is not empty.
    """
    if not 2 <= needed <= shares <= 255 or not secret:
        raise ValueError("a secret is split among at least two holders, and at most 255")
    polynomials = [bytes([byte]) + secrets.token_bytes(needed - 1) for byte in secret]
    return {x: bytes(_value(p, x) for p in polynomials) for x in range(1, shares + 1)}


def combine(shares: Mapping[int, bytes]) -> bytes:
    """Return the secret that enough shares give; with too few or foreign ones, bytes that mean nothing.

    Raises ValueError for shares of different lengths or with a number that no share has.
    """
    if len({len(share) for share in shares.values()}) != 1 or not all(0 < x < 256 for x in shares):
        raise ValueError("these shares do not belong together")
    weights = {x: _weight(x, shares) for x in shares}
    length = len(next(iter(shares.values())))
    return bytes(_sum(multiply(weights[x], share[at]) for x, share in shares.items()) for at in range(length))


def multiply(a: int, b: int) -> int:
    """Return the product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1, in the same steps for all values."""
    product = 0
    for _ in range(8):
        product ^= a & -(b & 1)
        a = (a << 1) ^ (0x11B & -(a >> 7))
        b >>= 1
    return product


def inverse(a: int) -> int:
    """Return the one that multiplies `a` to 1: its 254th power. Raises ZeroDivisionError for 0."""
    if a == 0:
        raise ZeroDivisionError("0 has no inverse")
    power = 1
    for _ in range(254):
        power = multiply(power, a)
    return power


def _value(polynomial: bytes, x: int) -> int:
    value = 0
    for coefficient in reversed(polynomial):
        value = multiply(value, x) ^ coefficient
    return value


def _weight(x: int, others: Mapping[int, bytes]) -> int:
    """Return Lagrange's weight of the share at `x` for the value at 0."""
    weight = 1
    for other in others:
        if other != x:
            weight = multiply(weight, multiply(other, inverse(other ^ x)))
    return weight


def _sum(values: "object") -> int:
    total = 0
    for value in values:  # type: ignore[attr-defined]
        total ^= value
    return total
