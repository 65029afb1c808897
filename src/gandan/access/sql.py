"""Questions and rows compiled once, and asked or written again with other values.

Turning a question into a statement costs the framework ten times what a small answer costs the database. The pages
that everybody opens all day keep the statement, and with it the actor's own conditions: it is built by the same
policies as any other question, once for each actor, day and choice. So do the acts that everybody does all day with
the rows that they add.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection, connections, models

from gandan.access.actor import Actor
from gandan.access.clock import today

Value = datetime | UUID
KEPT = 4_096
"""How many statements are kept, about two kilobytes each; beyond that all are built anew."""
_kept: dict[Hashable, "_Statement"] = {}
_lock = Lock()


@dataclass(frozen=True, slots=True)
class _Column:
    field: Any
    attname: str
    hook: Any
    """What the field does to a value before it is written, where it does anything."""
    kind: type | None
    """Values of exactly this type are written as they are, or as `_adapted` gives them."""


@dataclass(frozen=True, slots=True)
class _Table:
    columns: tuple[_Column, ...]
    begin: str
    row: str


_tables: dict[Hashable, _Table] = {}


@dataclass(frozen=True, slots=True)
class _Statement:
    text: str
    parameters: tuple[Any, ...]
    places: tuple[tuple[int, int], ...]
    """(place of a parameter, number of the value that stands there)"""
    converters: tuple[tuple[int, tuple[Any, ...], Any], ...] = ()


def rows(build: Callable[..., Any], fixed: Sequence[Any], values: Sequence[Value]) -> list[tuple[Any, ...]]:
    """Return the rows of the `values_list` queryset `build(*fixed, *values)`.

    `fixed` decides the shape of the statement and is kept with it (an actor by what he may do); `values`, instants
    and keys, may differ each time. The queryset depends on nothing else: `build` is a plain function, no closure.
    """
    statement = _of("rows", build, fixed, values, _compile_rows)
    found = _ask(statement, values)
    if not statement.converters:
        return found
    answer = []
    for row in found:
        columns = list(row)
        for place, converters, expression in statement.converters:
            for convert in converters:
                columns[place] = convert(columns[place], expression, connection)
        answer.append(tuple(columns))
    return answer


def counts_up_to(
    most: int, build: Callable[..., Sequence[Any]], fixed: Sequence[Any], values: Sequence[Value]
) -> tuple[int, ...]:
    """Return how many rows each of the querysets of `build(*fixed, *values)` has, counting no further than `most`."""
    statement = _of(("counts", most), build, fixed, values, lambda found: _compile_counts(most, found))
    return tuple(_ask(statement, values)[0])


def add(rows: Sequence[models.Model]) -> None:
    """Write a few new rows of one model in one statement: what `bulk_create` would write, without building it anew."""
    if not rows:
        return
    text, parameters = insertion(rows)
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
    added(rows)


def insertion(rows: Sequence[models.Model]) -> tuple[str, list[Any]]:
    """Return the statement that adds these rows, and its parameters; `added` says that it was executed.

    Raises ValueError for rows of several models, and for a model that keeps its columns in several tables.
    """
    model, database = type(rows[0]), connections[connection.alias]
    table = _tables.get((model, database.alias)) or _table_of(model)
    instant, native = database.ops.adapt_datetimefield_value, database.features.has_native_uuid_field
    parameters: list[Any] = []
    for row in rows:
        if type(row) is not model:
            raise ValueError("rows of several models are written one after the other")
        values = row.__dict__
        for column in table.columns:
            value = column.hook(row, True) if column.hook else values[column.attname]
            kind = type(value)
            if value is None:
                parameters.append(None)
            elif kind is not column.kind or (kind is datetime and value.tzinfo is None):
                parameters.append(column.field.get_db_prep_save(value, database))
            elif kind is UUID:
                parameters.append(value if native else value.hex)
            elif kind is datetime:
                parameters.append(instant(value))
            else:
                parameters.append(value)
    return table.begin + ", ".join([table.row] * len(rows)), parameters


def added(rows: Sequence[models.Model]) -> None:
    """Say of rows that they stand in the database."""
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _table_of(model: type[models.Model]) -> _Table:
    fields = model._meta.concrete_fields
    if model._meta.parents or any(getattr(field, "generated", False) for field in fields):
        raise ValueError(f"{model.__name__} is not one plain table")
    quote = connection.ops.quote_name
    names = ", ".join(quote(str(field.column)) for field in fields)
    places = (f.get_placeholder(b"", None, connection) if hasattr(f, "get_placeholder") else "%s" for f in fields)
    table = _Table(
        tuple(_Column(field, field.attname, _hook(field), _kind(field)) for field in fields),
        f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ",  # noqa: S608 - our own names
        f"({', '.join(places)})",
    )
    with _lock:
        _tables[model, connection.alias] = table
    return table


_UNTOUCHED = (models.Field.pre_save, models.DateTimeField.pre_save, models.DateField.pre_save)


def _hook(field: Any) -> Any:
    if type(field).pre_save in _UNTOUCHED and not (getattr(field, "auto_now", 0) or getattr(field, "auto_now_add", 0)):
        return None
    return field.pre_save


def _kind(field: Any) -> type | None:
    """Return the type whose values the field leaves as they are, apart from how the engine takes them."""
    own = field.target_field if field.is_relation else field
    kinds: dict[Any, type] = {
        models.UUIDField: UUID,
        models.DateTimeField: datetime,
        models.CharField: str,
        models.TextField: str,
        models.BooleanField: bool,
        models.PositiveIntegerField: int,
        models.PositiveSmallIntegerField: int,
        models.BigIntegerField: int,
    }
    return kinds.get(type(own))


def forget() -> None:
    """Drop every statement: what built them has changed."""
    with _lock:
        _kept.clear()
        _tables.clear()


def _of(
    kind: Hashable,
    build: Callable[..., Any],
    fixed: Sequence[Any],
    values: Sequence[Value],
    compile: Callable[[Any], Any],
) -> _Statement:
    if build.__closure__:
        raise ValueError(f"{build.__qualname__} depends on more than it is given")
    shape = tuple(each.rights if isinstance(each, Actor) else each for each in fixed)
    key = (kind, build, shape, tuple(map(type, values)), today(), connection.alias)
    statement = _kept.get(key)
    if statement is None:
        marks = [_mark(value, number) for number, value in enumerate(values)]
        text, parameters, converters = compile(build(*fixed, *marks))
        adapted = {_adapted(mark): number for number, mark in enumerate(marks)}
        places = tuple((place, adapted[each]) for place, each in enumerate(parameters) if _hashed(each) in adapted)
        statement = _Statement(text, tuple(parameters), places, converters)
        with _lock:
            if len(_kept) >= KEPT:
                _kept.clear()
            _kept[key] = statement
    return statement


def _ask(statement: _Statement, values: Sequence[Value]) -> list[tuple[Any, ...]]:
    if not statement.text:
        return []
    parameters = list(statement.parameters)
    for place, number in statement.places:
        parameters[place] = _adapted(values[number])
    with connection.cursor() as cursor:
        cursor.execute(statement.text, parameters)
        return cursor.fetchall()


def _compile_rows(queryset: Any) -> tuple[str, Sequence[Any], tuple[Any, ...]]:
    compiler = queryset.query.get_compiler(connection=connection)
    try:
        text, parameters = compiler.as_sql()
    except EmptyResultSet:
        return "", (), ()
    found = compiler.get_converters([column[0] for column in compiler.select])
    return text, parameters, tuple((place, tuple(functions), each) for place, (functions, each) in found.items())


def _compile_counts(most: int, querysets: Sequence[Any]) -> tuple[str, Sequence[Any], tuple[Any, ...]]:
    columns: list[str] = []
    parameters: list[Any] = []
    for queryset in querysets:
        try:
            text, given = queryset.order_by().values("pk")[:most].query.sql_with_params()
        except EmptyResultSet:
            columns.append("0")
            continue
        columns.append(f"(SELECT COUNT(*) FROM ({text}) AS counted)")  # noqa: S608 - built by the framework
        parameters += given
    return f"SELECT {', '.join(columns)}", parameters, ()


def _mark(value: Value, number: int) -> Value:
    """Return a value of the same kind that no question of ours ever holds."""
    if isinstance(value, UUID):
        return UUID(int=(0xFFFF << 112) + number)
    return datetime(1000 + number, 1, 1, tzinfo=UTC)


def _adapted(value: Value) -> Any:
    """Return the value as the engine takes it."""
    if isinstance(value, UUID):
        return value if connection.features.has_native_uuid_field else value.hex
    return connection.ops.adapt_datetimefield_value(value)


def _hashed(parameter: Any) -> Hashable:
    return parameter if isinstance(parameter, str | UUID | datetime) else None
