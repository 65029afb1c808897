"""What a cell of a table holds when the table leaves the house."""

import re
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*%?")


def cell(value: Any) -> Any:
    """Return what a cell of a CSV table holds: a text that a spreadsheet would run as a formula gets an
    apostrophe in front; numbers stay numbers.

    Source: OWASP, CSV Injection.
    """
    if not isinstance(value, str) or not value.startswith(_FORMULA) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"
