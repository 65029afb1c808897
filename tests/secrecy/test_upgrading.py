"""An installation from before the sealing is sealed when it is upgraded, and can go back with every word."""

import json
import subprocess
import sys

_LOOK = """
import django, json
django.setup()
from django.db import connection
from gandan.secrecy.models import DataKey
with connection.cursor() as c:
    c.execute("SELECT name, phone, others FROM cases_caseidentity ORDER BY id")
    people = [[str(v) for v in row] for row in c.fetchall()]
    c.execute("SELECT k.id, k.text, k.place, k.title, k.folded FROM cases_case k JOIN cases_procedure p"
              " ON p.id = k.procedure_id WHERE p.confidentiality = 'sealed' ORDER BY k.id")
    matters = [[str(v) for v in row] for row in c.fetchall()]
    c.execute("SELECT e.text FROM cases_caseevent e JOIN cases_case k ON k.id = e.case_id JOIN cases_procedure p"
              " ON p.id = k.procedure_id WHERE p.confidentiality = 'sealed' AND e.text <> '' ORDER BY e.id")
    lines = [row[0] for row in c.fetchall()]
    c.execute("SELECT count(*) FROM secrecy_datakey")
    print(json.dumps({"people": people, "matters": matters, "lines": lines, "keys": c.fetchone()[0]}))
"""
_WORDS = """
import django, json
django.setup()
from gandan.cases.models import Case, CaseEvent, CaseIdentity
from gandan.secrecy.fields import unlock
people = list(CaseIdentity.system("t").order_by("pk"))
matters = list(Case.system("t").filter(procedure__confidentiality="sealed").order_by("pk"))
unlock([*people, *matters])
print(json.dumps([[p.name, p.phone, p.others] for p in people] + [[m.text, m.place] for m in matters]))
"""


def test_words_are_sealed_by_the_upgrade_and_opened_by_the_way_back(prepared):
    server = prepared.copy()
    environment = server.environment | {"DJANGO_SETTINGS_MODULE": "gandan.config.settings"}

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, *arguments], env=environment, cwd=server.home, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def migrate(*to):
        run("-m", "django", "migrate", "-v0", *to)

    try:
        words, before = run("-c", _WORDS), json.loads(run("-c", _LOOK))
        assert before["matters"] and before["lines"] and before["people"] and before["keys"]
        shut = [value for row in before["people"] for value in row[:2]] + before["lines"]
        shut += [text for _id, text, *_rest in before["matters"]]
        assert all(value == "" or value.startswith("\x1egd1.") for value in shut)
        migrate("cases", "0002")
        back = json.loads(run("-c", _LOOK))
        plain = [value for row in back["people"] for value in row] + back["lines"]
        plain += [value for row in back["matters"] for value in row[1:3]]
        assert plain and not any("\x1e" in value for value in plain) and back["keys"] == 0
        assert all(folded.strip() for *_rest, folded in back["matters"]), "they are searched again"
        migrate()
        again = json.loads(run("-c", _LOOK))
        assert all(value == "" or value.startswith("\x1egd1.") for row in again["people"] for value in row[:2])
        assert not any(folded.strip() for *_rest, folded in again["matters"])
        assert run("-c", _WORDS) == words
        assert server.command("check").returncode == 0
    finally:
        prepared.drop(server)
