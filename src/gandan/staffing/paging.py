"""A list read a page at a time, from a row on. The address of a page names that row by its key, never by its words."""

from typing import Any

from django.db.models import Q

from gandan.ui import cursors


def page(rows: Any, *, known: Any, order: tuple[str, ...], size: int, after: str, of: str) -> tuple[list[Any], str]:
    """Return the rows of a page and the cursor of the next one, "" at the end.

    `order` ends with the key; `of` says which list this is; `known` are the rows that it may ever have held, so that
    a row which has just left the list still says where the next page begins. Raises WrongCursor.
    """
    if after:
        (key,) = cursors.read(after, of)
        place = known.filter(pk=key).values_list(*(name.lstrip("-") for name in order)).first()
        if place is None:
            raise cursors.WrongCursor
        rows = rows.filter(_beyond(order, place))
    found = list(rows.order_by(*order)[: size + 1])
    if len(found) <= size:
        return found, ""
    return found[:size], cursors.sign([str(found[size - 1].pk)], of)


def _beyond(order: tuple[str, ...], place: tuple[Any, ...]) -> Q:
    """Return the condition that a row comes after a place."""
    beyond, level = Q(pk__in=[]), Q()
    for name, value in zip(order, place, strict=True):
        field = name.lstrip("-")
        beyond |= level & Q(**{f"{field}__{'lt' if name != field else 'gt'}": value})
        level &= Q(**{field: value})
    return beyond
