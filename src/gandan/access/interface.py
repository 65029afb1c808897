"""How operations are offered to other programs: the same doors, rules and sentences as the pages.

Each operation is a function with `@needs` or `@public` at an address of its own. What comes in is described
field by field and nothing else is taken; what goes out is described too and nothing else is given. A refusal is
a sentence in the language asked for, as application/problem+json (RFC 9457).
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Annotated, Any

from django.core.exceptions import BadRequest, ObjectDoesNotExist, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.urls import URLPattern, path, re_path
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Router, Schema
from ninja.errors import HttpError, ValidationError
from ninja.operation import Operation
from ninja.parser import Parser
from pydantic import BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from gandan.access.errors import Refused
from gandan.access.typed import content_length, whole

PROBLEM = "application/problem+json"
JSON_BYTES = 256 * 1024
FILES_BYTES = 56 * 1024 * 1024
"""Largest bodies that an operation takes: words only, and with files."""


class Words(Schema):
    """What an operation takes. A field that is not described is refused, so that none is set by accident."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class FieldProblem(Schema):
    name: str
    detail: str


class Problem(Schema):
    """Why something was not done, and what to do (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    fields: list[FieldProblem] = []


def text(longest: int, *, shortest: int = 0, **options: Any) -> Any:
    """Return the type of a text field: in one Unicode form, at most `longest` characters, not only spaces when
    `shortest` is 1."""
    if shortest:
        options["pattern"] = r"\S"
    return Annotated[str, Field(min_length=shortest, max_length=longest, **options), BeforeValidator(_typed)]


def _written_day(value: Any) -> Any:
    # Neither seconds since 1970 nor an hour: a day.
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise PydanticCustomError("date_parsing", "not a day")
    return value


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31)), BeforeValidator(_written_day)]
"""A day as 2026-07-01."""


def _typed(value: Any) -> Any:
    return whole(value) if isinstance(value, str) else value


class Declined(Exception):
    """An operation that cannot be done as asked; `fields` name what is wrong in what was sent."""

    def __init__(self, status: int, sentence: str | Promise, fields: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(str(sentence))
        self.status = status
        self.fields = [FieldProblem(name=name, detail=detail) for name, detail in fields]


class StrictParser(Parser):
    """Reads JSON as it is written, once: no key twice, no numbers that are none, no depth without end."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            found = json.loads(request.body.decode(), object_pairs_hook=_once, parse_constant=_no_number)
        except RequestDataTooBig:
            raise
        except (ValueError, RecursionError):
            raise Declined(400, _("The body is not JSON in UTF-8, or one of its keys stands twice.")) from None
        if not isinstance(found, dict):
            raise Declined(422, _("The body must be one JSON object."))
        return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(text)


def problem(status: int, detail: str, fields: Iterable[FieldProblem] = ()) -> HttpResponse:
    """Return an answer that says in one sentence why not."""
    told = Problem(title=_title(status), status=status, detail=detail, fields=list(fields))
    response = HttpResponse(told.model_dump_json(), status=status, content_type=PROBLEM)
    response["Cache-Control"] = "no-store"
    return response


def _title(status: int) -> str:
    return {
        400: _("This could not be read"),
        401: _("Sign in first"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("Not offered here"),
        409: _("Not possible now"),
        413: _("Too large"),
        415: _("Another kind of content is needed"),
        422: _("Something must be corrected"),
        429: _("Too many tries"),
    }.get(status, _("Not possible now"))


def sentence(error: dict[str, Any]) -> str:
    """Return what is wrong with one field, in the reader's language."""
    context = error.get("ctx", {})
    kind = str(error.get("type", ""))
    if kind == "missing":
        return _("This field is missing.")
    if kind == "extra_forbidden":
        return _("There is no such field here.")
    if kind == "string_too_long":
        return _("This is longer than %(n)d characters. Shorten it.") % {"n": context.get("max_length", 0)}
    if kind in ("string_too_short", "string_pattern_mismatch"):
        return _("This is empty or not written as described.")
    if kind == "string_unicode":
        return _("This holds characters that are no text.")
    if kind.startswith("uuid"):
        return _("This is not an id such as 0b7f6a3e-6f0c-4c58-9a53-3f1f6d2c9b11.")
    if kind.startswith("date"):
        return _("This is not a date such as 2026-07-01.")
    if kind in ("literal_error", "enum"):
        return _("This must be one of: %(choices)s.") % {"choices": context.get("expected", "")}
    if kind.startswith(("int", "greater", "less")):
        return _("This is not a whole number within the limits described.")
    return _("This is not of the kind that is described.")


def interface(version: str, description: str, rooms: Iterable[tuple[str, Router]]) -> NinjaAPI:
    """Return the interface with the operations of the rooms given, each beneath its prefix."""
    api = NinjaAPI(
        title="Gần Dân",
        version=version,
        description=description,
        docs_url=None,
        openapi_url=None,
        urls_namespace=f"api-{version}",
        parser=StrictParser(),
    )
    for prefix, router in rooms:
        api.add_router(prefix, router)
    for kind in (*_UNREADABLE, ValidationError, Http404, ObjectDoesNotExist, Refused, Declined, HttpError):
        api.add_exception_handler(kind, _told)
    return api


_UNREADABLE = (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError, RequestDataTooBig)


def _told(request: HttpRequest, error: Any) -> HttpResponse:
    """Return the answer to what went wrong, as a sentence."""
    # ninja wraps what our parser says of a body.
    match error.__cause__ if isinstance(error, HttpError) and error.__cause__ is not None else error:
        case ValidationError():
            return _not_valid(error)
        case Declined() as declined:
            return problem(declined.status, str(declined), declined.fields)
        case Refused() as refused:
            return problem(409, str(refused))
        case Http404() | ObjectDoesNotExist():
            return problem(404, absent())
        case RequestDataTooBig():
            return problem(413, _unread(413))
        case _:
            # What ninja itself refuses is a body that it cannot read.
            return problem(400, _unread(400))


def _not_valid(error: ValidationError) -> HttpResponse:
    fields = []
    for each in error.errors:
        names = [str(part) for part in each["loc"][1:] if part not in ("payload", "words")]
        fields.append(FieldProblem(name=".".join(names) or str(each["loc"][0]), detail=sentence(each)))
    return problem(422, _("Some fields are not as described; each is named below."), fields[:50])


def _unread(status: int) -> str:
    if status == 413:
        return _("This is larger than what we take at once. Send less, or smaller files.")
    return _("This could not be read to its end. Send it again.")


def absent() -> str:
    """Return the sentence for what is not there, or not for the one who asks: the two look alike."""
    return _("There is nothing here for you under this address.")


def operations(routers: Iterable[Router]) -> Iterator[Operation]:
    """Return every operation. Raises ValueError when two share an address or one has no rule."""
    for router in routers:
        for address, view in router.path_operations.items():
            if len(view.operations) != 1 or len(view.operations[0].methods) != 1:
                raise ValueError(f"{address} has several operations: each has an address and a rule of its own")
            operation = view.operations[0]
            if getattr(operation.view_func, "access_rule", None) is None:
                raise ValueError(f"the operation {operation.view_func.__name__} does not say who may use it")
            yield operation


def mount(api: NinjaAPI, routers: Iterable[Router], prefix: str) -> list[URLPattern]:
    """Return the addresses of the interface, each behind its door, and one for everything that is not there."""
    found = {operation.view_func.__name__: operation for operation in operations(routers)}
    patterns = [
        path(
            # Ids reach the record of who opened what as ids, not as words.
            f"{prefix}{pattern.pattern}".replace("<uuidstr:", "<uuid:"),
            door(pattern.callback, found[pattern.name]),
            name=f"api_{pattern.name}",
        )
        for pattern in api.urls[0]
        if isinstance(pattern, URLPattern) and pattern.name in found
    ]
    if len(patterns) != len(found):
        raise ValueError("two operations have one name")
    # Everything else beneath the prefix, line ends in the address included.
    return [*patterns, re_path(rf"^{prefix}(?P<rest>[\s\S]*)$", nothing, name="api_nothing")]


def door(view: Callable[..., Any], operation: Operation) -> Callable[..., HttpResponse]:
    """Return the view of one operation as the house lets it be reached."""
    method = operation.methods[0]
    kind, limit = _body(operation)
    known: dict[str, set[str]] = {"query": set()}
    for model in operation.models:
        names = getattr(model, "__ninja_flatten_map__", None) or model.model_fields
        known.setdefault(model.__ninja_param_source__, set()).update(names)

    def answer(request: HttpRequest, **arguments: Any) -> HttpResponse:
        with translation.override(language(request)):
            response = _answered(request, arguments)
        return _dressed(request, response)

    def _answered(request: HttpRequest, arguments: dict[str, Any]) -> HttpResponse:
        asked = request.method
        if asked != method and not (asked == "HEAD" and method == "GET"):
            response = problem(405, _("This address is for %(method)s only.") % {"method": method})
            response["Allow"] = "GET, HEAD" if method == "GET" else method
            return response
        if kind:
            if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin", "same-site"):
                return problem(403, _("Another website tried to send this in your name. Nothing was done."))
            if request.content_type != kind:
                return problem(415, _("Send this as %(kind)s.") % {"kind": kind})
            if content_length(request) > limit:
                return problem(413, _unread(413))
        request.method = method
        try:
            _only(request.GET, known["query"])
            if "form" in known or "file" in known:
                _only(request.POST, known.get("form", set()))
                _only(request.FILES, known.get("file", set()), many=True)
            response = view(request, **arguments)
        except (Declined, *_UNREADABLE) as error:
            response = _told(request, error)
        finally:
            request.method = asked
        return response

    answer.__name__, answer.__doc__ = operation.view_func.__name__, operation.view_func.__doc__
    answer.__module__ = operation.view_func.__module__
    marks: dict[str, Any] = {
        "access_rule": operation.view_func.access_rule,  # type: ignore[attr-defined]
        "csrf_exempt": True,  # an operation that changes something acts for nobody who is signed in
        "reads_its_body": True,
        "refuse": refuse,  # in place of a page
        "methods": (method,),
    }
    answer.__dict__.update(marks)
    return answer


def _body(operation: Operation) -> tuple[str, int]:
    """Return the kind of body that an operation takes and its largest size; none for one without a body."""
    sources = {model.__ninja_param_source__ for model in operation.models}
    if "file" in sources or "form" in sources:
        return "multipart/form-data", FILES_BYTES
    return ("application/json", JSON_BYTES) if "body" in sources else ("", 0)


def _only(given: Any, known: set[str], *, many: bool = False) -> None:
    """Refuse fields that are not described, and a field that comes twice: which one would count?"""
    faults = [(name, _("There is no such field here.")) for name in given if name not in known]
    if not many:
        twice = [name for name in given if name in known and len(given.getlist(name)) > 1]
        faults += [(name, _("This field comes twice. Send it once.")) for name in twice]
    if faults:
        raise Declined(422, _("Some fields are not as described; each is named below."), faults[:50])


def _dressed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response["Content-Language"] = language(request)
    patch_vary_headers(response, ("Accept-Language", "Cookie"))
    if response.status_code >= 400 or request.method not in ("GET", "HEAD"):
        response.headers.setdefault("Cache-Control", "no-store")
    if request.method == "HEAD":
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response.content = b""
    return response


def language(request: HttpRequest) -> str:
    """Return the language that the request asks for: vi or en."""
    return translation.get_language_from_request(request)


def refuse(request: HttpRequest, status: int, sentence: str | Promise) -> HttpResponse:
    """Return what is said instead of a page: 401, 403 with its sentence, or 404."""
    with translation.override(language(request)):
        said = str(sentence) or absent()
        if status == 401:
            said = _("Sign in first: this is for people with a role.")
        response = problem(status, said)
        if status == 401:
            response["WWW-Authenticate"] = 'Cookie realm="gandan"'
        return _dressed(request, response)


def nothing(request: HttpRequest, rest: str) -> HttpResponse:
    """Say that there is no such operation."""
    with translation.override(language(request)):
        return _dressed(request, problem(404, _("There is no such operation. See /api/v1/openapi.json.")))


nothing.access_rule = ("public", "says that there is nothing")  # type: ignore[attr-defined]
nothing.csrf_exempt = nothing.reads_its_body = True  # type: ignore[attr-defined]
nothing.refuse = refuse  # type: ignore[attr-defined]


def document(api: NinjaAPI, routers: Iterable[Router], prefix: str, cookie: str) -> dict[str, Any]:
    """Return the OpenAPI description: every operation with its rule and with every refusal that it may give."""
    described: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix=prefix), default=str))
    schemas = described.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schemas["Problem"].pop("$defs", {})
    described["components"]["securitySchemes"] = {"session": {"type": "apiKey", "in": "cookie", "name": cookie}}
    for operation in operations(routers):
        entry = next(
            each[operation.methods[0].lower()]
            for each in described["paths"].values()
            if each.get(operation.methods[0].lower(), {}).get("operationId") == api.get_openapi_operation_id(operation)
        )
        rule: tuple[str, ...] = operation.view_func.access_rule  # type: ignore[attr-defined]
        for parameter in entry.get("parameters", []):
            _never_null(parameter)
        entry["operationId"] = operation.view_func.__name__
        other_kind = getattr(operation.view_func, "answers_with", None)
        if other_kind:
            entry["responses"]["200"]["content"] = {other_kind: {"schema": {"type": "string"}}}
        entry["x-access"] = f"{rule[0]}: {', '.join(rule[1:])}"
        if rule[0] != "public":
            entry["security"] = [{"session": []}]
        for status in _refusals(operation, rule):
            content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
            with translation.override("en"):
                entry["responses"][str(status)] = {"description": _title(status), "content": content}
    return described


def _never_null(parameter: dict[str, Any]) -> None:
    """Describe a parameter that may be left out as what it is when it is given: an address has no null."""
    choices = [choice for choice in parameter["schema"].pop("anyOf", []) if choice != {"type": "null"}]
    if choices:
        parameter["schema"] |= choices[0]


def _refusals(operation: Operation, rule: tuple[str, ...]) -> list[int]:
    """Return the refusals that an operation may give, as statuses."""
    given = {422, 405} if operation.models else {405}
    kind, _limit = _body(operation)
    if kind:
        given |= {400, 403, 413, 415}
    if rule[0] != "public":
        given |= {401, 403}
    if "{" in operation.path:
        given |= {404}
    given |= set(getattr(operation.view_func, "refusals", ()))
    return sorted(given)


def may_refuse(*statuses: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say which further refusals an operation gives: 404, 409, 429."""

    def mark(view: Callable[..., Any]) -> Callable[..., Any]:
        view.refusals = statuses  # type: ignore[attr-defined]
        return view

    return mark


def answers_with(kind: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Say that an operation answers with another kind of content than JSON."""

    def mark(view: Callable[..., Any]) -> Callable[..., Any]:
        view.answers_with = kind  # type: ignore[attr-defined]
        return view

    return mark
