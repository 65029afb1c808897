"""Statements that the framework cannot build."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection


def counts_up_to(most: int, rows: Mapping[str, Any]) -> dict[str, int]:
    """Return how many rows each queryset has, counting no further than `most`: one statement, whatever the scope."""
    columns, values = [], []
    for each in rows.values():
        try:
            statement, given = each.order_by().values("pk")[:most].query.sql_with_params()
        except EmptyResultSet:
            columns.append("0")
            continue
        columns.append(f"(SELECT COUNT(*) FROM ({statement}) AS counted)")  # noqa: S608 - built by the framework
        values += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)}", values)
        found = cursor.fetchone()
    return dict(zip(rows, found, strict=True))
