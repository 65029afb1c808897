"""One matter, walked by a visitor in several chairs: from a call at 22:40 to a figure in the published results.

Nothing here is played back: the visitor does each step on the very page on which it is done. What the story
prepares is the call, written down by the officer on duty, and the act that merges two communes today.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Count, F, Q
from django.utils.translation import gettext as _

from gandan.access import Refused, SystemActor, today
from gandan.access.authority import authority
from gandan.access.clock import VIETNAM
from gandan.accounts.models import User
from gandan.cases import actions as cases
from gandan.cases import catalogue, follow
from gandan.cases.models import Case, Draft
from gandan.staffing.models import Grant
from gandan.units import actions as units
from gandan.units.models import Reorganisation, Unit

PROCEDURE = "RE-02"
CALL = time(22, 40)
_BY = SystemActor("demo", "unit.draft", "unit.enact")


@dataclass(frozen=True, slots=True)
class Story:
    """A story under way: its matter as it stands, the act beside it, and the code in the citizen's hand."""

    case: Case
    act: Reorganisation
    code: str

    @property
    def officer(self) -> User | None:
        """The officer of the unit that has the matter today: the one who took it, if somebody did."""
        return self.case.officer or sitter("officer", self.case.holder_id)

    def steps(self) -> list[dict[str, Any]]:
        """Return the steps in order, each with `state` done, current or "" (to come)."""
        papers = self.case.paper_requests.first()
        done = {
            # Looked at, one may suppose, by whoever goes on to the next step.
            "comes": self.case.taken_at is not None,
            "ask": papers is not None,
            "merge": self.act.state == Reorganisation.State.IN_FORCE,
            "supply": papers is not None and papers.supplied_at is not None,
            "answer": self.case.answered_at is not None,
            "rate": self.case.rated_round > 0,
            "results": False,
        }
        waiting = [name for name, holds in done.items() if not holds]
        # The first step is a look only, so the second one stands open beside it.
        current = waiting[:2] if waiting[0] == "comes" else waiting[:1]
        return [
            {"name": name, **words, "state": "done" if done[name] else "current" if name in current else ""}
            for name, words in _words().items()
        ]


def begin() -> tuple[UUID, UUID]:
    """Let the call come in and lay the act before the registrar; return the keys of the matter and the act.

    Raises Refused where `why_not` says so, and where the province is not as it was built.
    """
    refusal = why_not()
    if refusal:
        raise Refused(refusal)
    first, second = _living()[:2]
    duty = sitter("duty_officer", first.pk)
    procedure = catalogue.in_force(PROCEDURE)
    if duty is None or procedure is None:
        raise Refused(_not_as_built())
    with transaction.atomic():
        receipt = cases.receive(
            submission=uuid4(),
            procedure=procedure,
            unit=first,
            channel=Case.Channel.PHONE,
            text="Hai thợ xây vừa đến ở nhờ nhà tôi tối nay. Tôi xin đăng ký tạm trú cho họ.",
            place="bản Ngã Ba",
            identity={"name": "Lò Thị Hoa", "phone": "0900 000 123"},
            received_at=datetime.combine(today() - timedelta(days=1), CALL, VIETNAM),
            by=authority().actor(duty),
        )
        act = _act(first, second)
    return receipt.case.pk, act.pk


def why_not() -> str | None:
    """Say why the story cannot begin today; None when it can."""
    living = _living()
    if len(living) < 2:
        return _not_as_built()
    if any(unit.valid_from >= today() for unit in living[:2]):
        return _(
            "The story merges two communes today, and on the day of a merger every commune here is new: "
            "none can end on the day on which it began. From tomorrow on the story can be walked."
        )
    return None


def read(case: str, act: str) -> Story | None:
    """Return the story of these keys, or None when the province was put back meanwhile."""
    related = ("procedure", "holder", "received_by", "officer")
    found = Case.system("demo").filter(pk=UUID(case)).select_related(*related).first()
    beside = Reorganisation.system("demo").filter(pk=UUID(act)).first()
    if found is None or beside is None:
        return None
    return Story(found, beside, follow.again(found.submission, found.follow_hash, anonymous=False))


def sitter(role: str, unit: UUID) -> User | None:
    """Return the first who has a role at a unit today."""
    grants = Grant.system("demo").in_force(today()).filter(role=role, unit=unit).select_related("user")
    grant = grants.order_by("user__username").first()
    return grant.user if grant else None


def same_form_twice() -> Draft:
    """Return a form that is filled in and waits to be sent."""
    first = next(iter(_living()), None)
    if first is None:
        raise Refused(_not_as_built())
    words = "Đèn đường ở ngã ba không sáng đã ba hôm."
    data = {"kind": "FB-01", "unit": first.slug, "place_name": first.title, "text": words, "anonymous": "yes"}
    draft: Draft = Draft.objects.create(data=data, begun_on=today())
    return draft


def sealed() -> Case | None:
    """Return a complaint about a commune's police that is not answered yet, or the newest one."""
    about = Case.system("demo").filter(authority().has_subject("id"), received_by__valid_to=None)
    rows = about.select_related("received_by").order_by(F("answered_at").desc(nulls_first=True), "-received_at")
    found: Case | None = rows.first()
    return found


def _living() -> list[Unit]:
    """Return the living communes, those that began before today first, and among them those with the fewest open
    matters, so that other chairs keep their desks."""
    open_now = Q(closed_at=None, withdrawn_at=None, passed_on_at=None)
    busy = dict(Case.system("demo").filter(open_now).values_list("holder").annotate(Count("pk")).order_by())
    rows = Unit.objects.filter(level=Unit.Level.COMMUNE, valid_to=None)
    return sorted(rows, key=lambda unit: (unit.valid_from >= today(), busy.get(unit.pk, 0), unit.slug))


def _not_as_built() -> str:
    return _("The story needs the demo province as it was built. Put it back first.")


def _act(first: Unit, second: Unit) -> Reorganisation:
    on = today()
    one, other = first.version_on(on), second.version_on(on)
    seat = Unit.objects.get(level=Unit.Level.PROVINCE, valid_to=None)
    assert one is not None and other is not None
    number = Reorganisation.system("demo").count() + 1
    new = {
        "code": one.code,
        "name": f"{one.name} – {other.name}",
        "type": one.type,
        "level": "commune",
        "administrative": str(seat.pk),
        "police": str(seat.pk),
        "remote": bool(one.remote and other.remote) or None,
        "remote_basis": one.remote_basis if one.remote and other.remote else "",
    }
    act = units.draft_act(
        decree=f"{number:02}/NQ-MS (minh họa)",
        title=f"Nhập {first.title} và {second.title}",
        decided_on=on - timedelta(days=15),
        effective_on=on,
        seat=seat,
        by=_BY,
        steps=[
            ("establish", new),
            ("merge", {"from": [str(first.pk), str(second.pk)], "into": f"new:{one.code}"}),
        ],
    )
    faults = units.check_act(act=act, by=_BY)
    if faults:
        raise Refused(faults[0])
    return act


def _words() -> dict[str, dict[str, str]]:
    return {
        "comes": {
            "title": _("A call comes at 22:40"),
            "text": _(
                "The line was down: the officer on duty wrote it on paper and typed it in later. Both times are kept. "
                "Open it with the citizen's code and look at “How the dates are counted”."
            ),
        },
        "ask": {
            "title": _("The officer takes it and asks for papers once"),
            "text": _(
                "On the matter's page: “Take it in hand”, then “Ask for missing papers”: write one paper and send it. "
                "The clock stands still, and the sum says since when and why."
            ),
        },
        "merge": {
            "title": _("The commune is merged"),
            "text": _(
                "Sit down as the registrar and look at what the act would move; under the list, “Let it come into "
                "force on its day”. The promise goes to the new commune with the same date."
            ),
        },
        "supply": {
            "title": _("The citizen sends the papers"),
            "text": _("Under the same code the new commune answers now. Send the papers: the clock runs on."),
        },
        "answer": {
            "title": _("The officer answers"),
            "text": _("The same officer, now of the new commune, opens “Answer”, writes it, and sends it."),
        },
        "rate": {
            "title": _("The citizen gives a score"),
            "text": _("Follow the code once more, read the answer, and give a score. Nobody sees whose it is."),
        },
        "results": {
            "title": _("It stands in the published results"),
            "text": _("The new commune's page counts it: received, settled, in time, with every definition."),
        },
    }
