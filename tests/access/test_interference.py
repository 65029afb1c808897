"""A complaint leaves no trace with those whom it concerns: the same world with it and without it, byte by byte."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.urls import reverse

from gandan.access import ANONYMOUS, now
from gandan.cases import actions as cases
from gandan.cases import catalogue
from gandan.obligations import jobs
from tests.access import world
from tests.access.examples import example
from tests.access.walker import Walker, content, quiet

pytestmark = pytest.mark.django_db
CONCERNED = ("officer@own", "chief@own", "duty_officer@own", "dispatcher@conflicted", "oversight@conflicted", "")
_VARYING = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"|nonce-[\w+/=]+|name="submission" value="[-\w]+"|id="submission"[^>]*'
    r'|name="seed" value="\w+"'
)
_QUERIES = {
    "case_list": ({}, {"q": "CANARY"}, {"view": "unfinished"}, {"view": "arriving"}),
    "search": ({"q": "Then"}, {"q": "CANARY"}),
    "api_cases_in_reach": ({}, {"q": "CANARY"}),
    "desk": ({}, {"view": "late"}),
}


def rendered(walked: Walker) -> dict[tuple[str, str, str], tuple[int, str]]:
    """Return every page without an argument of those concerned, and those of the unit concerned."""
    found = {}
    slug = walked.world.places["own"].unit.slug
    for name, parameters in walked.parameters.items():
        if name.startswith(("/", "account_", "mfa_", "demo")) or parameters not in ((), ("slug",)):
            continue
        sent = example(name)
        assert sent is not None
        for query in _QUERIES.get(name, (sent.query,)):
            for actor in CONCERNED:
                # What a page itself writes, a reading for one, must not meet the next one.
                block = transaction.atomic()
                block._from_testcase = True
                with block:
                    response = walked.world.client(actor).get(
                        reverse(name, kwargs={"slug": slug} if parameters else {}), query
                    )
                    headers = "\n".join(f"{n}: {v}" for n, v in sorted(response.items()) if n != "Set-Cookie")
                    text = _VARYING.sub("", content(response) + headers)
                    transaction.set_rollback(True)
                found[name, actor, repr(query)] = (response.status_code, text)
    return found


def complain(walked: Walker, number: int) -> None:
    for code in ("CO-01", "DE-01")[:number]:
        procedure = catalogue.in_force(code)
        assert procedure is not None
        cases.receive(
            submission=uuid4(),
            procedure=procedure,
            unit=walked.world.places["own"].unit,
            channel="web",
            text="CANARY-complaint-text",
            identity={"name": "Hoa"},
            by=ANONYMOUS,
        )


def compared(walked: Walker, number: int = 2) -> tuple[int, list[tuple[str, str, str]]]:
    """Return how many pages were compared, and those that differ."""
    with quiet():
        jobs.tick(now() + timedelta(days=40))
        before = rendered(walked)
        complain(walked, number)
        jobs.tick(now() + timedelta(days=40))
        after = rendered(walked)
    assert len(before) > 150
    return len(before), [key for key in before if before[key] != after[key]]


def test_those_concerned_see_the_same_bytes_with_and_without_the_complaint(figure):
    pages, differing = compared(Walker(world.build()))
    figure(
        6,
        "interference",
        title="Pages that show those concerned that there is a complaint about them",
        target="none: the same bytes with and without it",
        command="python -m pytest tests/access/test_interference.py --results benchmarks/results/access",
        figures={"pages compared": pages, "differing": len(differing), "people concerned": len(CONCERNED)},
        kept=not differing,
    )
    assert differing == []


def test_the_comparison_fails_when_concerns_are_forgotten(figure):
    from tests.access import mutants

    walked = Walker(world.build())
    every = {mutant.name: mutant for mutant in mutants.mutants()}
    with mutants.living(every["concern of Case"]):
        _, differing = compared(walked, 1)
    figure.control("interference", "a list of matters that forgets concerns", noticed=bool(differing))
    assert differing
