"""A list read a page at a time, from a row on. The address of a page names that row by its key, never by its words."""

from typing import Any
from uuid import UUID

from django.core import signing
from django.db.models import Q

_SALT = "staffing.page"


class WrongCursor(ValueError):
    """A page address that belongs to another list, or to none."""


def page(rows: Any, *, known: Any, order: tuple[str, ...], size: int, after: str, of: str) -> tuple[list[Any], str]:
    """Return the rows of a page and the cursor of the next one, "" at the end.

    `order` ends with the key; `of` says which list this is; `known` are the rows that it may ever have held, so that
    a row which has just left the list still says where the next page begins. Raises WrongCursor.
    """
    if after:
        place = known.filter(pk=_read(after, of)).values_list(*(name.lstrip("-") for name in order)).first()
        if place is None:
            raise WrongCursor
        rows = rows.filter(_beyond(order, place))
    found = list(rows.order_by(*order)[: size + 1])
    if len(found) <= size:
        return found, ""
    return found[:size], signing.dumps([str(found[size - 1].pk), of], salt=_SALT)


def _beyond(order: tuple[str, ...], place: tuple[Any, ...]) -> Q:
    """Return the condition that a row comes after a place."""
    beyond, level = Q(pk__in=[]), Q()
    for name, value in zip(order, place, strict=True):
        field = name.lstrip("-")
        beyond |= level & Q(**{f"{field}__{'lt' if name != field else 'gt'}": value})
        level &= Q(**{field: value})
    return beyond


def _read(cursor: str, of: str) -> UUID:
    try:
        key, belongs = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        raise WrongCursor from None
    if belongs != of:
        raise WrongCursor
    return UUID(key)
