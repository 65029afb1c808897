"""What people type, brought into one form before anything else sees it.

Nothing that can be read is taken away. One Unicode form (NFC), so that the same word is the same word; no
control characters that a database refuses or a terminal obeys; and directions of writing that end where the
line ends, so that nobody's words turn round the words beside them, on a page, in a letter or in a table.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, UnreadablePostError

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_EMBEDDINGS, _END_EMBEDDING = "\u202a\u202b\u202d\u202e", "\u202c"
_ISOLATES, _END_ISOLATE = "\u2066\u2067\u2068", "\u2069"
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LINES = re.compile("(\r\n|[\n\r\x85\u2028\u2029])")
_DEEPEST = 20


def whole(text: str) -> str:
    """Return text in Unicode form NFC whose control characters are shown as U+FFFD and whose directions of
    writing end with their line. The same text again changes nothing more.

    Source: Unicode Standard Annexes 9 (bidirectional algorithm) and 15 (normalisation forms).
    """
    plain = _CONTROLS.sub("\ufffd", unicodedata.normalize("NFC", text))
    if not _DIRECTIONS.search(plain):
        return plain
    return "".join(_ended(line) for line in _LINES.split(plain))


def _ended(line: str) -> str:
    """Return a line in which every change of direction is ended, and no end stands alone."""
    out: list[str] = []
    open_: list[str] = []
    for letter in line:
        if letter in _EMBEDDINGS:
            open_.append(_END_EMBEDDING)
        elif letter in _ISOLATES:
            open_.append(_END_ISOLATE)
        elif letter == _END_EMBEDDING:
            if not open_ or open_[-1] != _END_EMBEDDING:
                continue
            open_.pop()
        elif letter == _END_ISOLATE:
            if _END_ISOLATE not in open_:
                continue
            # The end of an isolate also ends what was begun inside it.
            while open_[-1] != _END_ISOLATE:
                out.append(open_.pop())
            open_.pop()
        out.append(letter)
    return "".join(out + open_[::-1])


class Unreadable(ValueError):
    """A file of settings that cannot be read; `line` says where, 0 when it cannot be said."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def read_yaml(text: str) -> Any:
    """Return the values of a YAML text. Raises Unreadable, also for references (one line of which can stand for
    a billion), for what is nested deeper than any file of ours, and for values that are none.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    try:
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
                depth += 1
            elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                depth -= 1
            if depth > _DEEPEST or isinstance(event, yaml.AliasEvent):
                raise Unreadable(event.start_mark.line + 1 if event.start_mark else 0)
        return yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as wrong:
        raise Unreadable(wrong.problem_mark.line + 1 if wrong.problem_mark else 0) from None
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError) as wrong:
        raise wrong if isinstance(wrong, Unreadable) else Unreadable(0) from None


class TypedMiddleware:
    """Brings the texts of every request into one form, and refuses bodies that are larger than any form.

    The fields of JSON bodies are brought into form where they are read, in `interface`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.META.get("QUERY_STRING"):
            request.GET = _whole(request.GET)  # type: ignore[assignment]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if any(isinstance(value, str) and value != whole(value) for value in kwargs.values()):
            # No address of ours is written like this.
            refuse = getattr(view, "refuse", None)
            if refuse is None:
                raise Http404
            return refuse(request, 404, "")
        if request.method in ("GET", "HEAD", "OPTIONS") or getattr(view, "reads_its_body", False):
            return None
        if content_length(request) > settings.GANDAN_BODY_BYTES:
            raise RequestDataTooBig("the body is larger than any form of ours")
        try:
            typed = request.POST
        except UnreadablePostError as error:
            raise BadRequest("the sender went away before the end") from error
        if typed:
            request.POST = _whole(typed)  # type: ignore[assignment]
        return None


def content_length(request: HttpRequest) -> int:
    """Return the length of the body in bytes as the sender says it; 0 when it is not said, for then none is read."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _whole(typed: QueryDict) -> QueryDict:
    found = QueryDict(mutable=True, encoding=typed.encoding)
    for name, values in typed.lists():
        found.setlist(whole(name), [whole(value) if isinstance(value, str) else value for value in values])
    found._mutable = False
    return found
