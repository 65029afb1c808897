"""The append-only record of who did what: ids and codes only, each entry chained to the one before.

Every action writes one entry in its own transaction. Nothing here says what was said or who was spoken of:
values appear only as a keyed commitment, so that erasing a person's data never breaks the chain.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gandan.audit.actions import record as record
    from gandan.audit.actions import together as together

__all__ = ["record", "together"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from gandan.audit import actions

        return getattr(actions, name)
    raise AttributeError(name)
