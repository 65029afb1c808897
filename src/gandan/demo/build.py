"""Building the invented province: the same seed gives the same history, ending today.

Units and the merger of July 2025 go through the very acts that a registrar uses. Matters are played from
scripts through the same ledgers as live ones and written in bulk, with their audit entries in order of time.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from gandan.access import SystemActor, clock, now, today
from gandan.access.clock import VIETNAM
from gandan.accounts.models import User
from gandan.audit import actions as audit
from gandan.audit.models import AuditEntry
from gandan.cases import actions as cases
from gandan.cases import catalogue, follow, sealing, word_index
from gandan.cases.models import Case, CaseEvent, CaseIdentity, PaperRequest, Procedure, Rating, Transfer
from gandan.cases.search import index_text
from gandan.demo import force, place, voices
from gandan.law import Calendar
from gandan.obligations import actions as obligations
from gandan.obligations import terms
from gandan.obligations.ledger import Ledger, entries_of, save_all
from gandan.obligations.models import Obligation
from gandan.staffing.models import Concern, Grant
from gandan.units import actions as units
from gandan.units import reach
from gandan.units.models import Placement, Unit

Progress = Callable[[str, float], None]

FIRST_DAY = place.FIRST_DAY
CASES_FROM = date(2024, 1, 1)
POLICE_MOVE = date(2025, 3, 1)
DECIDED, MERGER = date(2025, 6, 16), date(2025, 7, 1)
SCALES = {"small": 1_500, "province": 12_000}
LATELY = 0.2
"""Share of the later matters that came in the last three weeks."""
SHOWN = 24
"""Recent matters of the commune whose desk the demo opens."""
BASIS = "Số liệu minh họa"
REMOTE_BASIS = "Quyết định minh họa về xã vùng khó khăn"
_BY = SystemActor("demo", "unit.enact", "unit.draft", "unit.contact")


def province(*, scale: str, seed: int, progress: Progress | None = None) -> None:
    """Build Mường Sương into an empty, migrated installation, in one transaction."""
    tell = progress or (lambda what, share: None)
    with transaction.atomic():
        Builder(seed, SCALES[scale], tell).run()
        word_index.rebuild()


@dataclass
class Story:
    """One matter and what will happen to it: steps (when, what, words), played as far as the day allows."""

    case: Case
    steps: list[tuple[datetime, str, Any]]
    identity: CaseIdentity | None = None
    concern: Concern | None = None
    ledgers: list[Ledger] = field(default_factory=list)
    lines: list[CaseEvent] = field(default_factory=list)
    extra: list[Any] = field(default_factory=list)
    written: datetime | None = None
    """When the last line was written down: lines of one moment keep their order."""


class Builder:
    def __init__(self, seed: int, count: int, tell: Progress) -> None:
        self.random = random.Random(seed)  # noqa: S311 - an invented history, not a secret
        self.count, self.tell = count, tell
        self.entries: list[AuditEntry] = []
        self.units: dict[str, Unit] = {}
        self.staff: dict[UUID, list[tuple[date, User]]] = {}
        self.people = 0
        self.slowness = [86, 9, 5]
        """How many of a hundred recent matters are dealt with in time, slowly, and very slowly."""
        self.names: set[str] = set()

    def run(self) -> None:
        self.tell("units", 0.0)
        # What is planned for after today is counted too, though it is not played.
        years = range(FIRST_DAY.year, today().year + 4)
        with self._on(FIRST_DAY):
            self._establish()
            obligations.keep_years_seeded(by=_BY, on=today(), years=years)
            obligations.seed_reference(by=_BY)
            catalogue.seed_reference(by=_BY)
        self._appoint()
        self.tell("units", 1.0)
        stories: list[Story] = []
        for start, end, what in _PHASES:
            stories += self._live(stories, start, end, what)
            if end is None or today() < end:
                break
            with self._on(end):
                self._end_district_police() if end == POLICE_MOVE else self._merge()
            self._reload([story for story in stories if story.steps])
        if DECIDED <= today() < MERGER:
            # Its day has not come: `gandan work` puts it in force then, as it would a registrar's act.
            self._schedule_merger()
        self._rate(stories)
        self._show_codes()
        self.tell("audit record", 1.0)

    def _live(self, running: list[Story], start: date, end: date | None, what: str) -> list[Story]:
        """Play one phase on one map: what runs goes on, new matters come. Return the new ones."""
        running = [story for story in running if story.steps]
        new = self._stories_of(start, end)
        until = min(_instant(end), now()) if end else now()
        self._play(running, until, "")
        self._play(new, until, what)
        self._save(new, running)
        return new

    # --- units and people -------------------------------------------------------------------------------------

    def _establish(self) -> None:
        country = units.establish(
            level="country", code="VN", name="Việt Nam (minh họa)", type="", valid_from=FIRST_DAY, by=_BY, basis=BASIS
        )
        self.country = country
        self.seat = units.establish(
            level="province",
            code=place.PROVINCE_CODE,
            name=place.PROVINCE_NAME,
            type="Tỉnh",
            valid_from=FIRST_DAY,
            by=_BY,
            administrative=country,
            police=country,
            basis=BASIS,
        )
        for code, kind, name, *_ in place.DISTRICTS:
            self.units[code] = units.establish(
                level="district",
                code=code,
                name=name,
                type=kind,
                valid_from=FIRST_DAY,
                by=_BY,
                administrative=self.seat,
                police=self.seat,
                basis=BASIS,
            )
        for commune in place.old_communes():
            above = self.units[commune.district]
            self.units[commune.code] = units.establish(
                level="commune",
                code=commune.code,
                name=commune.name,
                type=commune.type,
                valid_from=FIRST_DAY,
                by=_BY,
                administrative=above,
                police=above,
                remote=commune.remote or None,
                remote_basis=REMOTE_BASIS if commune.remote else "",
                basis=BASIS,
            )
            self._contact(self.units[commune.code], FIRST_DAY)
        reach.rebuild()

    def _appoint(self) -> None:
        roles = [
            (self.seat, "dispatcher"),
            (self.seat, "commander"),
            (self.seat, "oversight"),
            (self.seat, "auditor"),
            (self.seat, "registrar"),
            (self.seat, "administrator"),
            (self.country, "oversight"),
        ]
        posts = [(unit, role, FIRST_DAY) for unit, role in roles]
        posts += [(self.units[each.commune], each.role, each.start) for each in force.before_the_merger()]
        self._post([(*post, self._person()) for post in sorted(posts, key=lambda post: post[2])])
        self._save_record()

    def _post(self, posts: list[tuple[Unit, str, date, User]]) -> None:
        """Give each person the role; who is new becomes known."""
        User.objects.bulk_create([user for *_, user in posts if user._state.adding])
        grants = [
            Grant(id=self._uuid(), user=user, role=role, unit=unit, valid_from=start, reason="demo")
            for unit, role, start, user in posts
        ]
        Grant.objects.bulk_create(grants)
        self.entries += [
            audit.prepare(
                "grant.give",
                at=min(_instant(grant.valid_from), now()),
                object_type="staffing.grant",
                object_id=grant.pk,
                unit_id=grant.unit_id,
                reason="demo",
            )
            for grant in grants
        ]

    def _person(self) -> User:
        sex = self.random.choice("mf")
        full_name = " ".join(
            (
                self.random.choice(voices.SURNAMES),
                self.random.choice(voices.MIDDLES[sex]),
                self.random.choice(voices.GIVEN[sex]),
            )
        )
        self.people += 1
        user = User(
            id=self._uuid(),
            username=f"demo{self.people:04}",
            full_name=full_name,
            rank=self.random.choice(voices.RANKS),
            created_at=_instant(FIRST_DAY),
        )
        user.set_unusable_password()
        return user

    def _end_district_police(self) -> None:
        communes = [self.units[commune.code] for commune in place.old_communes()]
        self._enact(
            "01/QĐ-MS (minh họa)",
            "Kết thúc Công an cấp huyện",
            POLICE_MOVE - timedelta(days=20),
            POLICE_MOVE,
            [
                ("move", {"unit": str(unit.pk), "chain": Placement.Chain.POLICE, "parent": str(self.seat.pk)})
                for unit in communes
            ],
        )

    def _merge(self) -> None:
        """Put the merger in force by the act, and name the chiefs."""
        self._schedule_merger()
        self.now_serving: dict[str, Unit] = {}
        for unit in Unit.objects.filter(level="commune", valid_to=None).prefetch_related("versions"):
            version = unit.version_on(MERGER)
            assert version is not None
            self.now_serving[version.code] = unit
            self._contact(unit, MERGER)
        self._lead()
        units = self.now_serving.values()
        self._post([(unit, "officer", force.STRENGTHENED, self._person()) for unit in units])
        self.staff = {}

    def _schedule_merger(self) -> None:
        seat = str(self.seat.pk)
        old = {commune.code: commune for commune in place.old_communes()}
        steps: list[tuple[str, dict[str, Any]]] = []
        for commune in place.new_communes():
            remote = all(old[code].remote for code in commune.parts)
            steps.append(
                (
                    "establish",
                    {
                        "code": commune.code,
                        "name": commune.name,
                        "type": commune.type,
                        "level": "commune",
                        "administrative": seat,
                        "police": seat,
                        "remote": remote or None,
                        "remote_basis": REMOTE_BASIS if remote else "",
                    },
                )
            )
            parts = [str(self.units[code].pk) for code in commune.parts]
            steps.append(("merge", {"from": parts, "into": f"new:{commune.code}"}))
        steps += [("dissolve", {"unit": str(self.units[code].pk)}) for code, *_ in place.DISTRICTS]
        self._enact("02/NQ-MS (minh họa)", "Sắp xếp đơn vị hành chính cấp xã", DECIDED, MERGER, steps)

    def _lead(self) -> None:
        """Name the chief of the first part as chief of each new commune; the other chiefs go on as officers."""
        ended = Grant.system("demo").filter(role="chief", valid_to=MERGER).select_related("user")
        chiefs = {grant.unit_id: grant.user for grant in ended}
        posts = []
        for commune in place.new_communes():
            unit = self.now_serving[commune.code]
            for number, code in enumerate(commune.parts):
                posts.append((unit, "officer" if number else "chief", MERGER, chiefs[self.units[code].pk]))
        self._post(posts)

    def _enact(self, decree: str, title: str, decided: date, effective: date, steps: list[Any]) -> None:
        act = units.draft_act(
            decree=decree, title=title, decided_on=decided, effective_on=effective, seat=self.seat, by=_BY, steps=steps
        )
        faults = units.check_act(act=act, by=_BY)
        if faults:
            raise RuntimeError(faults[0])
        act.refresh_from_db()
        units.schedule_act(act=act, by=_BY)

    def _contact(self, unit: Unit, on: date) -> None:
        number = self.random.randrange(1000, 9999)
        units.set_contact(
            unit=unit,
            by=_BY,
            duty_phone=f"0299 000 {number}",
            address=f"Trung tâm {unit.title[0].lower()}{unit.title[1:]}",
            hours_vi="Thứ Hai đến thứ Sáu 7:30–11:30, 13:30–17:00; trực ban 24/24",
            hours_en="Monday to Friday 7:30–11:30 and 13:30–17:00; duty officer at any hour",
            on=on,
        )

    # --- matters ------------------------------------------------------------------------------------------------

    def _stories_of(self, start: date, end: date | None) -> list[Story]:
        """Return the matters of one phase; the last weeks are fuller, so that desks have open work."""
        last = end is None or today() < end
        days = ((today() if last else end) - start).days  # type: ignore[operator]
        count = round(self.count * days / max((today() - CASES_FROM).days, 1))
        if not last:
            return self._stories(self._serving(start), start, end, count)
        places = self._serving(start)
        lately, shown = round(count * LATELY), min(SHOWN, count // 10)
        found = [
            *self._stories(places, start, None, count - lately - shown),
            *self._stories(places, max(start, today() - timedelta(days=20)), None, lately),
        ]
        # At the desk that the chairs open more is late: a visitor sees what that looks like.
        self.slowness = [60, 20, 20]
        found += self._stories(places[:1], max(start, today() - timedelta(days=21)), None, shown)
        self.slowness = [86, 9, 5]
        return found

    def _serving(self, on: date) -> list[Unit]:
        """Return the communes of the map that holds from a day, in the order of their codes."""
        if on < MERGER:
            return [self.units[commune.code] for commune in place.old_communes()]
        return [self.now_serving[commune.code] for commune in place.new_communes()]

    def _stories(self, places: list[Unit], start: date, end: date | None, count: int) -> list[Story]:
        begin, finish = _instant(start), _instant(end) if end else now()
        self.calendar: Calendar = terms.calendar()
        procedures = {row.code: row for row in catalogue.current()}
        weights = [self.random.uniform(0.5, 2.0) for _ in places]
        moments = sorted(self._moment(begin, finish) for _ in range(count))
        return [
            self._story(self.random.choices(places, weights)[0], self.random.choices(*_MIX)[0], at, procedures)
            for at in moments
        ]

    def _story(self, unit: Unit, code: str, at: datetime, procedures: dict[str, Procedure]) -> Story:
        procedure, chance = procedures[code], self.random
        channel = chance.choices(["web", "desk", "phone", "hamlet"], [35, 40, 20, 5])[0]
        anonymous = procedure.identity == Procedure.Identity.OPTIONAL and chance.random() < 0.3
        title, text, answer = self._words(code)
        holder = self.seat if procedure.about_service else unit
        case = Case(
            id=self._uuid(),
            reference=self._reference(),
            procedure=procedure,
            channel=channel,
            anonymous=anonymous,
            title=title,
            text=text,
            place=chance.choice(voices.HAMLETS),
            received_by=unit,
            holder=holder,
            province=self.seat,
            received_at=at,
            recorded_at=at,
            submission=self._uuid(),
            digest=f"{chance.getrandbits(256):064x}",
            folded=index_text(title, text),
        )
        story = Story(case, self._script(code, at, answer, case))
        if not anonymous:
            sex = chance.choice("mf")
            name = " ".join(chance.choice(part) for part in (voices.SURNAMES, voices.MIDDLES[sex], voices.GIVEN[sex]))
            story.identity = CaseIdentity(
                id=self._uuid(), case=case, name=name, phone=f"0900 000 {chance.randrange(100, 999)}"
            )
        if case.is_sealed:
            case.title = sealing.neutral_title(procedure)
        if procedure.about_service:
            story.concern = Concern(id=self._uuid(), matter=case.pk, kind=Concern.Kind.UNIT, unit=unit)
        self._write(story, "received", at, shown=True, facts={"channel": channel})
        self._start(story, ("received", "complete"), at)
        self._audit("case.receive", at, story)
        return story

    def _words(self, code: str) -> tuple[str, str, str]:
        chance = self.random
        if code in voices.RESIDENCE:
            title, answer = voices.RESIDENCE[code]
            return title, title + ".", answer
        if code == "CR-01":
            title, text = chance.choice(voices.CRIME)
            return title, text, ""
        if code == "CO-01":
            title, text = chance.choice(voices.COMPLAINTS)
            return title, text, chance.choice(voices.DECISIONS)
        if code == "DE-01":
            title, text = chance.choice(voices.DENUNCIATIONS)
            return title, text, chance.choice(voices.DECISIONS)
        title, text, answer = chance.choice(voices.FEEDBACK)
        return title, text, answer

    def _script(self, code: str, at: datetime, answer: str, case: Case) -> list[tuple[datetime, str, Any]]:
        """Return what will happen to a matter and when; most promises are kept, some are not."""
        chance = self.random
        took = self._working(at + timedelta(hours=chance.expovariate(1 / 9)))
        if code == "CR-01":
            took = at + timedelta(minutes=chance.uniform(5, 180))
            sent = took + timedelta(hours=chance.uniform(2, 14))
            got = sent + timedelta(hours=chance.choices([chance.uniform(1, 7), chance.uniform(12, 60)], [93, 7])[0])
            body = "Cơ quan Cảnh sát điều tra Công an tỉnh"
            return [
                (took, "take", None),
                (sent, "send", (body, "Chuyển theo thẩm quyền.")),
                (got, "acknowledge", f"{chance.randrange(10, 999)}/PTN"),
            ]
        if chance.random() < 0.03 and code == "FB-01":
            case.title, case.text, body, words = voices.NOT_OURS
            case.folded = index_text(case.title, case.text)
            sent = took + timedelta(hours=chance.uniform(1, 30))
            got = self._working(sent + timedelta(days=chance.uniform(0.5, 3)))
            return [
                (took, "take", None),
                (sent, "send", (body, words)),
                (got, "acknowledge", f"{chance.randrange(10, 999)}/TN"),
            ]
        if chance.random() < 0.01 and code not in ("CO-01", "DE-01"):
            return [
                (took, "take", None),
                (self._working(took + timedelta(days=chance.uniform(0.2, 3))), "withdraw", None),
            ]
        steps: list[tuple[datetime, str, Any]] = []
        typical = {"FB-01": 8.5, "CO-01": 24.0, "DE-01": 21.0, "RE-01": 5.5, "RE-09": 0.15}.get(code, 1.6)
        if code in ("CO-01", "DE-01"):
            took = self._working(at + timedelta(days=chance.uniform(1, 7)))
            steps.append((took, "accept", None))
        else:
            if code == "RE-09":
                took = self._working(at + timedelta(minutes=chance.uniform(5, 60)))
            steps.append((took, "take", None))
        last = took
        this_week = now() - at < timedelta(days=7)
        if code.startswith(("RE", "VR")) and chance.random() < (0.5 if this_week else 0.15):
            # Of this week's, some papers have not come yet: a visitor sees clocks that stand still.
            asked = self._working(took + timedelta(hours=chance.uniform(0.5, 6)))
            last = self._working(asked + timedelta(days=chance.uniform(4, 9) if this_week else chance.uniform(1, 6)))
            steps += [(asked, "ask", chance.choice(voices.MISSING)), (last, "supply", None)]
        recent = now() - at < timedelta(days=60)
        slow = chance.choices([1.0, 2.6, 6.0], self.slowness if recent else [91, 9, 0])[0]
        answered = self._working(last + timedelta(days=max(0.02, chance.gammavariate(5, typical / 5) * slow)))
        if code == "RE-09":
            # A confirmation is written while the person waits, or by the end of the half day.
            answered = last + timedelta(hours=chance.uniform(0.3, 1.5) * (1 if slow == 1.0 else 6))
        closed = self._working(answered + timedelta(days=chance.uniform(0.2, 12)))
        return [*steps, (answered, "answer", answer), (closed, "close", None)]

    def _play(self, stories: list[Story], until: datetime, what: str) -> None:
        for number, story in enumerate(stories):
            while story.steps and story.steps[0][0] < until:
                at, step, words = story.steps.pop(0)
                getattr(self, f"_do_{step}")(story, at, words)
            if what and number % 50 == 0:
                self.tell(what, number / max(len(stories), 1))
        if what:
            self.tell(what, 1.0)

    def _do_take(self, story: Story, at: datetime, _words: Any) -> None:
        officer = self._officer(story, at)
        story.case.taken_at, story.case.officer = at, officer
        self._write(story, "taken", at, shown=True, by=officer)
        self._end(story, "taken", at, officer)
        self._each_open(story, "assigned", at, officer, facts={"assignee": str(officer.pk)})
        self._audit("case.take", at, story, officer)

    def _do_accept(self, story: Story, at: datetime, _words: Any) -> None:
        officer = self._officer(story, at)
        story.case.accepted_at = story.case.taken_at = at
        story.case.officer = officer
        self._write(story, "accepted", at, shown=True, by=officer)
        story.case.complex = self.random.random() < 0.15
        self._end(story, "taken", at, officer)
        self._end(story, "accepted", at, officer)
        self._start(story, ("accepted",), at, officer)
        self._audit("case.take", at, story, officer)

    def _do_ask(self, story: Story, at: datetime, items: list[str]) -> None:
        officer = story.case.officer
        story.case.asked_at = at
        story.extra.append(PaperRequest(id=self._uuid(), case=story.case, items=items, asked_at=at))
        self._write(story, "asked", at, shown=True, by=officer, facts={"items": items})
        self._each_open(story, "suspended", at, officer, ground=cases.MISSING_PAPERS, pausable=True)
        self._audit("case.ask", at, story, officer)

    def _do_supply(self, story: Story, at: datetime, _words: Any) -> None:
        story.case.asked_at = None
        for request in story.extra:
            if isinstance(request, PaperRequest):
                request.supplied_at = at
        PaperRequest.system("demo").filter(case=story.case).update(supplied_at=at)
        self._write(story, "supplied", at, shown=True)
        for ledger in story.ledgers:
            if ledger.obligation.suspended_at is not None:
                ledger.add("resumed", at=at, recorded_at=at)
        self._audit("case.supply", at, story, story.case.officer)

    def _do_answer(self, story: Story, at: datetime, words: str) -> None:
        officer = story.case.officer
        story.case.answered_at, story.case.answer, story.case.outcome = at, words, Case.Outcome.SETTLED
        self._write(story, "answered", at, shown=True, by=officer, text=words, facts={"outcome": "settled"})
        self._end(story, "answered", at, officer)
        self._end(story, "notified", at, officer)
        self._start(story, ("answered",), at, officer)
        self._audit("case.answer", at, story, officer)

    def _do_close(self, story: Story, at: datetime, _words: Any) -> None:
        story.case.closed_at = at
        self._write(story, "closed", at, shown=True, by=story.case.officer)
        self._end(story, "closed", at, story.case.officer)
        self._audit("case.close", at, story, story.case.officer)

    def _do_withdraw(self, story: Story, at: datetime, _words: Any) -> None:
        story.case.withdrawn_at = at
        self._write(story, "withdrawn", at, shown=True)
        for ledger in story.ledgers:
            if ledger.obligation.discharged_at is None:
                ledger.add("withdrawn", at=at, recorded_at=at, ground="withdrawn")
        self._audit("case.withdraw", at, story)

    def _do_send(self, story: Story, at: datetime, words: tuple[str, str]) -> None:
        body, note = words
        story.extra.append(
            Transfer(
                id=self._uuid(),
                case=story.case,
                from_unit=story.case.holder,
                to_body=body,
                note=note,
                sent_at=at,
                statutory=story.case.procedure.code == "CR-01",
            )
        )
        self._write(story, "sent", at, shown=True, by=story.case.officer, text=note, facts={"to": body})
        self._audit("case.handover", at, story, story.case.officer)

    def _do_acknowledge(self, story: Story, at: datetime, number: str) -> None:
        officer = story.case.officer
        for transfer in story.extra:
            if isinstance(transfer, Transfer):
                transfer.acknowledged_at, transfer.acknowledgement = at, number
        Transfer.system("demo").filter(case=story.case).update(acknowledged_at=at, acknowledgement=number)
        story.case.passed_on_at = at
        for ledger in story.ledgers:
            if ledger.obligation.discharged_at is None:
                ledger.add("handed_over", at=at, recorded_at=at, actor_id=officer.pk if officer else None)
        self._write(story, "acknowledged", at, shown=True, by=officer, facts={"number": number})
        self._write(story, "passed_on", at, shown=True, by=officer)
        self._audit("case.handover", at, story, officer)

    # --- the ledgers, the lines and the record ------------------------------------------------------------------

    def _start(self, story: Story, events: tuple[str, ...], at: datetime, officer: User | None = None) -> None:
        case, on = story.case, at.astimezone(VIETNAM).date()
        remote = self._remote(case.holder, on)
        for event in events:
            for term in self._terms(case.procedure.code, event, on):
                ledger = Ledger.open(
                    kind="case",
                    matter=case.pk,
                    term=term,
                    amount=terms.amount_of(term, remote=remote, complex=case.complex),
                    owed_by=case.holder_id,
                    province=case.province_id,
                    assignee=officer.pk if officer else None,
                    at=at,
                    recorded_at=at,
                    actor_id=officer.pk if officer else None,
                    calendar=self.calendar,
                    key=self._uuid(),
                    remote=remote,
                    complex=case.complex,
                )
                story.ledgers.append(ledger)

    def _end(self, story: Story, event: str, at: datetime, officer: User | None) -> None:
        for ledger in story.ledgers:
            row = ledger.obligation
            if row.discharged_at is None and row.term.ends_on == event:
                ledger.add(
                    "discharged", at=max(at, row.started_at), recorded_at=at, actor_id=officer.pk if officer else None
                )

    def _each_open(
        self,
        story: Story,
        kind: str,
        at: datetime,
        officer: User | None,
        *,
        ground: str = "",
        facts: dict[str, Any] | None = None,
        pausable: bool = False,
    ) -> None:
        for ledger in story.ledgers:
            row = ledger.obligation
            if ledger.can_pause(ground, at) if pausable else row.discharged_at is None:
                ledger.add(
                    kind, at=at, recorded_at=at, actor_id=officer.pk if officer else None, ground=ground, facts=facts
                )

    def _write(
        self,
        story: Story,
        kind: str,
        at: datetime,
        *,
        shown: bool = False,
        by: User | None = None,
        text: str = "",
        facts: dict[str, Any] | None = None,
    ) -> None:
        story.written = at if story.written is None else max(at, story.written + timedelta(microseconds=1))
        story.lines.append(
            CaseEvent(
                id=self._uuid(),
                case=story.case,
                kind=kind,
                at=at,
                recorded_at=story.written,
                actor_id=by.pk if by else None,
                actor_name=by.title if by else "",
                unit_id=story.case.holder_id,
                shown=shown,
                text=text,
                facts=facts or {},
            )
        )

    def _audit(self, action: str, at: datetime, story: Story, by: User | None = None) -> None:
        self.entries.append(
            audit.prepare(
                action,
                at=at,
                actor_id=by.pk if by else None,
                capability=action if by else "",
                object_type="cases.case",
                object_id=story.case.pk,
                unit_id=story.case.holder_id,
                reason="demo",
            )
        )

    def _save(self, new: list[Story], running: Sequence[Story] = ()) -> None:
        """Write new matters, and what happened since to those that are saved already; the record in order of time."""
        ledgers = [ledger for story in new for ledger in story.ledgers]
        changed = [ledger for story in running for ledger in story.ledgers if ledger.added]
        self.entries += entries_of([*changed, *ledgers], "demo")
        Case.objects.bulk_create([story.case for story in new], batch_size=500)
        CaseIdentity.objects.bulk_create([s.identity for s in new if s.identity], batch_size=1000)
        Concern.objects.bulk_create([s.concern for s in new if s.concern], batch_size=1000)
        for story in running:
            story.case.save()
        self._save_parts([*running, *new])
        save_all(ledgers)
        for ledger in changed:
            ledger.save()
        self._save_record()

    def _save_parts(self, stories: list[Story]) -> None:
        CaseEvent.objects.bulk_create([line for story in stories for line in story.lines], batch_size=1000)
        extra = [row for story in stories for row in story.extra]
        PaperRequest.objects.bulk_create([row for row in extra if isinstance(row, PaperRequest)], batch_size=1000)
        Transfer.objects.bulk_create([row for row in extra if isinstance(row, Transfer)], batch_size=1000)
        for story in stories:
            story.lines, story.extra = [], []

    def _save_record(self) -> None:
        self.entries.sort(key=lambda entry: entry.at)
        audit.record_history(self.entries)
        self.entries = []

    def _reload(self, stories: list[Story]) -> None:
        """Read the matters that were open at the merger again, as the act left them."""
        ids = [story.case.pk for story in stories]
        rows = {
            row.pk: row
            for row in Case.system("demo").filter(pk__in=ids).select_related("procedure", "holder", "officer")
        }
        ledgers: dict[UUID, list[Ledger]] = {}
        for row in (
            Obligation.system("demo").filter(matter__in=ids).select_related("term").order_by("started_at", "clock")
        ):
            ledgers.setdefault(row.matter, []).append(Ledger.load(row, terms.calendar()))
        for story in stories:
            story.case = rows[story.case.pk]
            story.ledgers = ledgers.get(story.case.pk, [])

    def _rate(self, stories: list[Story]) -> None:
        ratings, rated = [], []
        for story in stories:
            case = story.case
            if case.answered_at and story.concern is None and self.random.random() < 0.25:
                late = any(
                    ledger.obligation.discharged_at and ledger.obligation.discharged_at >= ledger.obligation.due_at
                    for ledger in story.ledgers
                )
                score = self.random.choices([1, 2, 3, 4, 5], [20, 25, 25, 20, 10] if late else [2, 4, 12, 38, 44])[0]
                month = case.answered_at.astimezone(VIETNAM).date().replace(day=1)
                ratings.append(
                    Rating(
                        id=self._uuid(),
                        unit=case.holder,
                        province=case.province,
                        procedure=case.procedure.code,
                        month=month,
                        score=score,
                        told_until_when=self.random.random() < 0.9,
                    )
                )
                case.rated_round = case.round
                rated.append(case)
        self.random.shuffle(ratings)
        Rating.objects.bulk_create(ratings, batch_size=1000)
        Case.system("demo").filter(pk__in=[case.pk for case in rated]).update(rated_round=1)

    def _show_codes(self) -> None:
        """Give a few open matters the follow-up codes that the demo page shows."""
        rows = Case.system("demo").unfinished().filter(anonymous=False, procedure__about_service=False)
        for case in rows.order_by("-received_at")[:6]:
            case.follow_hash = follow.stored(follow.code_for(case.submission), anonymous=False)
            case.save(update_fields=["follow_hash"])

    # --- chance -------------------------------------------------------------------------------------------------

    def _officer(self, story: Story, at: datetime) -> User:
        """Return somebody who works at the unit on that day."""
        unit, on = story.case.holder_id, at.astimezone(VIETNAM).date()
        if unit not in self.staff:
            roles = ["oversight"] if unit == self.seat.pk else ["officer", "chief"]
            rows = Grant.system("demo").filter(unit=unit, role__in=roles).select_related("user")
            self.staff[unit] = [(row.valid_from, row.user) for row in rows.order_by("user__username")]
        return self.random.choice([user for start, user in self.staff[unit] if start <= on])

    def _terms(self, procedure: str, event: str, on: date) -> list[Any]:
        if not hasattr(self, "_known_terms"):
            self._known_terms: dict[tuple[str, str], list[Any]] = {}
        key = (procedure, event)
        if key not in self._known_terms:
            found = terms.in_force(procedure, on, starts_on=event)
            self._known_terms[key] = [term for term in found if term.body == "commune"]
        return self._known_terms[key]

    def _remote(self, unit: Unit, on: date) -> bool:
        if not hasattr(self, "_known_remote"):
            self._known_remote: dict[UUID, bool] = {}
        if unit.pk not in self._known_remote:
            self._known_remote[unit.pk] = obligations.is_remote(unit, on)
        return self._known_remote[unit.pk]

    def _moment(self, begin: datetime, finish: datetime) -> datetime:
        """Return an instant at which people come: mostly by day, on working days, rarely at night."""
        while True:
            at = begin + (finish - begin) * self.random.random()
            local = at.astimezone(VIETNAM)
            weight = (1.0 if 7 <= local.hour < 17 else 0.15) * (1.0 if local.weekday() < 5 else 0.25)
            if self.random.random() < weight:
                return at.replace(second=0, microsecond=0)

    def _working(self, at: datetime) -> datetime:
        """Return the next moment of office time at or after an instant."""
        local = at.astimezone(VIETNAM)
        while not self.calendar.is_working_day(local.date()) or local.hour >= 17:
            local = datetime.combine(local.date() + timedelta(days=1), time(7, 30), VIETNAM)
        if local.hour < 8:
            local = local.replace(hour=7, minute=30 + local.minute // 2)
        return local.replace(microsecond=0)

    def _reference(self) -> str:
        while True:
            letters = "".join(self.random.choice("23456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(8))
            if letters not in self.names:
                self.names.add(letters)
                return f"GD-{letters[:4]}-{letters[4:]}"

    def _uuid(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def _on(self, day: date) -> Any:
        return clock.at(_instant(day))


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(0, 0, 1), VIETNAM)


_PHASES: tuple[tuple[date, date | None, str], ...] = (
    (CASES_FROM, POLICE_MOVE, "matters until February 2025"),
    (POLICE_MOVE, MERGER, "matters until June 2025"),
    (MERGER, None, "matters since July 2025"),
)
"""The three maps of the history."""

# How often people bring what.
_MIX = (
    ["FB-01", "CR-01", "RE-01", "RE-02", "RE-05", "RE-09", "VR-01", "CO-01", "DE-01"],
    [34, 12, 9, 14, 8, 9, 10, 2.5, 1.5],
)
