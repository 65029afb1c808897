"""An answer lost on its way back, after the commit: sending again gives the same receipt, and no second matter."""

import http.client
import json
import random
import socket
import threading
from collections import Counter
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from tests.durability import citizens, kills

PEOPLE, EACH = 4, 12


class BadLine:
    """A proxy that passes every request on, waits for the whole answer, and then often loses it."""

    def __init__(self, goal: str, seed: int) -> None:
        self.goal, self.drawn = urlsplit(goal).netloc, random.Random(seed)
        self.did: Counter[str] = Counter()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self.listener.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as asked:
            while line := asked.readline():
                method, path, _ = line.decode().split()
                headers = http.client.parse_headers(asked)
                body = asked.read(int(headers.get("Content-Length", 0)))
                onward = http.client.HTTPConnection(self.goal, timeout=60)
                onward.request(method, path, body, dict(headers.items()))
                answer = onward.getresponse()
                page = answer.read()
                onward.close()
                lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
                lines += [f"{k}: {v}" for k, v in answer.getheaders() if k.lower() not in ("transfer-encoding",)]
                if "content-length" not in {k.lower() for k, _ in answer.getheaders()}:
                    lines.append(f"Content-Length: {len(page)}")
                whole = ("\r\n".join(lines) + "\r\n\r\n").encode() + page
                fate = self.drawn.choice(["whole", "whole", "nothing", "half"])
                self.did[fate] += 1
                try:
                    client.sendall({"whole": whole, "nothing": b"", "half": whole[: len(whole) // 2]}[fate])
                except OSError:
                    return
                if fate != "whole":
                    return


def test_an_answer_lost_after_the_commit_is_given_again(live):
    line = BadLine(live.url, seed=3)
    drafts = [(UUID(key), text) for key, text in json.loads(kills.script(live, kills._FILL, str(PEOPLE * EACH)))]
    ledger = citizens.Ledger()
    people = [kills._Sender(line.url, drafts[n::PEOPLE], ledger, random.Random(n)) for n in range(PEOPLE)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    line.close()
    assert ledger.faults == []
    assert ledger.receipts == PEOPLE * EACH
    assert line.did["nothing"] > 4 and line.did["half"] > 4
    told = [
        {"submission": str(e.draft), "text": e.text, "reference": e.receipt.reference, "code": e.receipt.code}
        for e in ledger.errands
    ]
    found = json.loads(kills.script(live, kills._COMPARE, given=json.dumps(told)))
    assert found == {"cases": PEOPLE * EACH, "unrecorded": 0, "lost": [], "duplicated": [], "faults": []}


@pytest.mark.sqlite
def test_a_whole_report_with_a_picture_survives_a_bad_line(live):
    """Every page of the form through the same line: nothing typed is asked for twice, no picture stands twice."""
    line = BadLine(live.url, seed=4)
    slug = kills.script(
        live,
        "import django; django.setup()\n"
        "from gandan.units.models import Unit\n"
        "print(Unit.objects.filter(level='commune', valid_to=None).order_by('slug')[0].slug)",
    ).strip()
    drawn = random.Random(4)
    ledger, stop = citizens.Ledger(), threading.Event()
    errands = [citizens.Errand(f"Cầu gãy {n}", [citizens.picture(drawn) for _ in range(2)]) for n in range(3)]
    person = citizens.Citizen(line.url, slug, ledger, stop, errands)
    person.start()
    person.join()
    line.close()
    assert ledger.faults == [] and ledger.receipts == len(errands)
    held = """
import collections, json, django
django.setup()
from gandan.cases.models import Attachment
found = collections.defaultdict(list)
for case, digest in Attachment.system("test").values_list("case__submission", "sha256"):
    found[str(case)].append(digest)
print(json.dumps(found))
"""
    kept = json.loads(kills.script(live, held))
    for errand in errands:
        assert sorted(kept[str(errand.draft)]) == sorted(digest for _, digest in errand.pictures)
