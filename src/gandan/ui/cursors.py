"""Where the next page of a list begins: a signed place that belongs to one list and to no other."""

from collections.abc import Sequence

from django.core import signing

_SALT = "page"


class WrongCursor(ValueError):
    """A page address that belongs to another list, or to none."""


def sign(place: Sequence[str], of: str) -> str:
    """Return the address of a place in the list that `of` describes."""
    return signing.dumps([*place, of], salt=_SALT)


def read(cursor: str, of: str) -> list[str]:
    """Return the place. Raises WrongCursor when it was not signed here, or for another list."""
    try:
        *place, belongs = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise WrongCursor from None
    if belongs != of:
        raise WrongCursor
    return place
