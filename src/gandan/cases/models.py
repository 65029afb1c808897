from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from gandan.access import Actor
from gandan.access.models import Guarded
from gandan.access.policies import Open, Part, Policy
from gandan.secrecy.fields import OpenTextField, SealedJSONField, SealedManager, SealedTextField, ShortLived
from gandan.units.fields import UnitKey


class Procedure(Guarded):
    """One version of a procedure: what to bring, what it costs, how long it takes, by which law."""

    class Identity(models.TextChoices):
        NAMED = "named", _("the name is needed")
        OPTIONAL = "optional", _("the name may be left out")
        SECRET = "secret", _("the name is kept secret")

    class Confidentiality(models.TextChoices):
        INTERNAL = "internal", _("internal")
        RESTRICTED = "restricted", _("restricted")
        SEALED = "sealed", _("sealed")

    access = Open("procedures are published")

    code = models.CharField(_("code"), max_length=20)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    kind = models.CharField(_("kind"), max_length=40)
    group = models.CharField(_("group"), max_length=40)
    """The heading on the public list: report, residence, papers, complaint, safety, rights."""
    order = models.PositiveSmallIntegerField(default=0)
    name_vi = models.CharField(_("name in Vietnamese"), max_length=200)
    name_en = models.CharField(_("name in English"), max_length=200)
    summary_vi = models.TextField(_("summary in Vietnamese"), blank=True)
    summary_en = models.TextField(_("summary in English"), blank=True)
    bring_vi = models.JSONField(_("what to bring, in Vietnamese"), default=list, blank=True)
    bring_en = models.JSONField(_("what to bring, in English"), default=list, blank=True)
    cost_vi = models.CharField(_("cost in Vietnamese"), max_length=300, blank=True)
    cost_en = models.CharField(_("cost in English"), max_length=300, blank=True)
    steps = models.JSONField(_("steps"), default=list, blank=True)
    """List of {who_vi, who_en, do_vi, do_en}."""
    law_vi = models.JSONField(_("law in Vietnamese"), default=list, blank=True)
    law_en = models.JSONField(_("law in English"), default=list, blank=True)
    identity = models.CharField(_("identity"), max_length=10, choices=Identity, default=Identity.NAMED)
    confidentiality = models.CharField(
        _("confidentiality"), max_length=12, choices=Confidentiality, default=Confidentiality.INTERNAL
    )
    online = models.BooleanField(_("can be brought online"), default=True)
    """False for emergencies and for what must be done in person."""
    call_instead = models.CharField(_("number to call instead"), max_length=20, blank=True)
    about_service = models.BooleanField(_("about a unit or officer"), default=False)
    """A complaint or denunciation: goes to oversight, away from those concerned."""
    evidence = models.CharField(_("evidence"), max_length=12, default="memory")
    note = models.TextField(_("note for administrators"), blank=True)
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid until"), null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="procedure_version_once")]
        ordering = ["order", "code", "version"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.name_en if get_language() == "en" else self.name_vi


class CaseQuerySet(models.QuerySet["Case"]):
    """Each state asked of many cases; it agrees with `Case.state`."""

    def new(self) -> "CaseQuerySet":
        return self._unended().filter(taken_at=None, asked_at=None, answered_at=None)

    def in_hand(self) -> "CaseQuerySet":
        return self._unended().filter(asked_at=None, answered_at=None).exclude(taken_at=None)

    def waiting(self) -> "CaseQuerySet":
        return self._unended().filter(answered_at=None).exclude(asked_at=None)

    def answered(self) -> "CaseQuerySet":
        return self._unended().exclude(answered_at=None)

    def closed(self) -> "CaseQuerySet":
        return self.exclude(closed_at=None).filter(withdrawn_at=None, passed_on_at=None)

    def passed_on(self) -> "CaseQuerySet":
        return self.exclude(passed_on_at=None).filter(withdrawn_at=None)

    def withdrawn(self) -> "CaseQuerySet":
        return self.exclude(withdrawn_at=None)

    def unfinished(self) -> "CaseQuerySet":
        """Cases that still wait for an answer."""
        return self._unended().filter(answered_at=None)

    def _unended(self) -> "CaseQuerySet":
        return self.filter(closed_at=None, withdrawn_at=None, passed_on_at=None)


class Case(Guarded):
    """Something that somebody brought. The matter; the person stands in `CaseIdentity`."""

    class Channel(models.TextChoices):
        WEB = "web", _("web")
        DESK = "desk", _("at the desk")
        PHONE = "phone", _("by phone")
        LETTER = "letter", _("by letter")
        HAMLET = "hamlet", _("in the hamlet")

    class State(models.TextChoices):
        NEW = "new", _("new")
        IN_HAND = "in_hand", _("in hand")
        WAITING = "waiting", _("waiting for papers")
        ANSWERED = "answered", _("answered")
        CLOSED = "closed", _("closed")
        PASSED_ON = "passed_on", _("passed on")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Outcome(models.TextChoices):
        SETTLED = "settled", _("settled")
        EXPLAINED = "explained", _("explained")
        UNFOUNDED = "unfounded", _("not confirmed")
        NOT_SETTLED = "not_settled", _("could not be settled")

    access = Policy(scope="holder", province="province", read="case.read", matter="id")

    reference = models.CharField(max_length=16, unique=True)
    """Random, as printed on the receipt: GD-XXXX-XXXX."""
    procedure = models.ForeignKey(Procedure, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=10, choices=Channel)
    language = models.CharField(max_length=5, default="vi")
    anonymous = models.BooleanField(default=False)
    title = models.CharField(_("title"), max_length=200)
    text = SealedTextField(_("what happened"), blank=True)
    place = SealedTextField(_("place"), blank=True)
    received_by = UnitKey(on_reorganisation="stays", related_name="+")
    holder = UnitKey(on_reorganisation="passes", related_name="+")
    province = UnitKey(on_reorganisation="passes", related_name="+", null=True)
    officer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    """Who has it in hand."""
    complex = models.BooleanField(default=False)
    round = models.PositiveSmallIntegerField(default=1)
    """One more each time that it is reopened."""
    rated_round = models.PositiveSmallIntegerField(default=0)
    """The last round that was rated; the score itself stands elsewhere, without a link."""

    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    taken_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    """Set while papers are missing; the clock is paused. It stays when another unit of ours takes the matter over."""
    answered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    withdrawn_at = models.DateTimeField(null=True)
    passed_on_at = models.DateTimeField(null=True)
    answer = SealedTextField(_("answer"), blank=True)
    """The answer in force, as the person reads it."""

    submission = models.UUIDField(unique=True)
    """Made by the form before sending: the same submission gives the same case and receipt."""
    digest = models.CharField(max_length=64)
    follow_hash = models.CharField(max_length=128, blank=True, db_index=True)
    folded = OpenTextField(blank=True)
    """Title, text and place without diacritics, for searching; empty in a sealed matter."""

    objects = SealedManager.from_queryset(CaseQuerySet)()  # type: ignore[misc]

    class Meta:
        indexes = [
            models.Index(fields=["holder", "-received_at", "id"], name="case_holder"),
            models.Index(fields=["province", "-received_at", "id"], name="case_province"),
            models.Index(fields=["received_by", "-received_at"], name="case_received_by"),
            models.Index(fields=["-received_at", "id"], name="case_received"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["follow_hash"], condition=~Q(follow_hash=""), name="follow_code_once")
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_sealed(self) -> bool:
        """Whether the words of the matter are sealed, as its procedure says."""
        return bool(self.procedure.confidentiality == Procedure.Confidentiality.SEALED)

    def secret_of(self) -> UUID | None:
        return self.pk if self.is_sealed else None

    @property
    def state(self) -> str:
        if self.withdrawn_at:
            return self.State.WITHDRAWN
        if self.passed_on_at:
            return self.State.PASSED_ON
        if self.closed_at:
            return self.State.CLOSED
        if self.answered_at:
            return self.State.ANSWERED
        if self.asked_at:
            return self.State.WAITING
        if self.taken_at:
            return self.State.IN_HAND
        return self.State.NEW

    def get_state(self) -> str:
        """Return the state in the reader's language."""
        return str(self.State(self.state).label)

    @property
    def is_ended(self) -> bool:
        return bool(self.closed_at or self.withdrawn_at or self.passed_on_at)

    def waiting_request(self) -> "PaperRequest | None":
        """Return the letter whose papers are being waited for, if any.

        A letter that was answered, closed or sent outside without its papers stays unsupplied; the next round has
        its own.
        """
        if self.asked_at is None:
            return None
        found: PaperRequest | None = self.paper_requests.filter(round=self.round, supplied_at=None).first()
        return found


class CaseIdentity(Guarded):
    """Who brought the matter and how to reach them: sealed always, opened one by one with a reason."""

    access = Policy(scope="case__holder", province="case__province", read="case.identity", matter="case_id")

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="+")
    name = SealedTextField(_("name"), blank=True)
    phone = SealedTextField(_("phone"), blank=True)
    address = SealedTextField(_("address"), blank=True)
    wish = models.CharField(_("how to answer"), max_length=10, default="code")
    """code, phone or visit."""
    others = SealedJSONField(default=list, blank=True)
    """Further {name, phone, address} that came under the same submission with other words."""

    objects = SealedManager()  # type: ignore[misc]

    def secret_of(self) -> UUID | None:
        return self.case_id

    def __str__(self) -> str:
        return str(self.pk)


class _SealedWithCase(Guarded):
    """A part of a matter whose words are sealed where the matter is."""

    class Meta:
        abstract = True

    objects = SealedManager()  # type: ignore[misc]

    def secret_of(self) -> UUID | None:
        case: Case = self.case  # type: ignore[attr-defined]
        return case.secret_of()


class CaseEvent(_SealedWithCase):
    """A line of the timeline. Only its text may ever be erased."""

    class Kind(models.TextChoices):
        RECEIVED = "received", _("Received")
        ACCEPTED = "accepted", _("Accepted")
        TAKEN = "taken", _("Taken in hand")
        ASSIGNED = "assigned", _("Assigned")
        NOTED = "noted", _("Note")
        ASKED = "asked", _("Missing papers asked for")
        SUPPLIED = "supplied", _("Papers supplied")
        EXTENDED = "extended", _("Term extended")
        ANSWERED = "answered", _("Answered")
        CLOSED = "closed", _("Closed")
        REOPENED = "reopened", _("Reopened")
        SENT = "sent", _("Sent to another body")
        ACKNOWLEDGED = "acknowledged", _("Receipt acknowledged")
        RECALLED = "recalled", _("Taken back before it was acknowledged")
        CORRECTED = "corrected", _("Kind corrected")
        PASSED_ON = "passed_on", _("Passed on")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        SUCCEEDED = "succeeded", _("Passed to the successor unit")
        MOVED_UP = "moved_up", _("Passed to a higher inspector")
        MESSAGE_IN = "message_in", _("Message from the citizen")
        MESSAGE_OUT = "message_out", _("Message to the citizen")
        APOLOGISED = "apologised", _("Apology with a new date")

    access = Part(of="case")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=14, choices=Kind)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=120, blank=True)
    unit_id = models.UUIDField(null=True)
    shown = models.BooleanField(default=False)
    """Whether the citizen sees this line under the code."""
    text = SealedTextField(blank=True)
    facts = models.JSONField(default=dict)
    """Codes, dates and names of units; never the words of a person, which stand in `text`."""

    class Meta:
        ordering = ["at", "recorded_at", "id"]
        indexes = [models.Index(fields=["case", "at"], name="case_event_case")]

    def __str__(self) -> str:
        return self.kind


class Attachment(_SealedWithCase):
    """A file that was checked by its content and is kept under its digest, that of its ciphertext where sealed."""

    access = Part(of="case")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="attachments")
    sha256 = models.CharField(max_length=64)
    sealed_with = models.UUIDField(null=True)
    """The data key with which the bytes on the disk are sealed, if they are."""
    name = SealedTextField()
    media_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField()
    from_citizen = models.BooleanField(default=True)
    shown = models.BooleanField(default=True)
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["added_at", "id"]

    def __str__(self) -> str:
        return self.name


_ARRIVING = Policy(scope="to_unit", read="case.receive", matter="case_id")


class Transfer(_SealedWithCase):
    """A matter sent to the body that it belongs to. The receiver's word ends the sender's clock."""

    access = Part(of="case")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="transfers")
    from_unit = UnitKey(on_reorganisation="stays", related_name="+")
    to_unit = UnitKey(on_reorganisation="passes", related_name="+", null=True)
    to_body = models.CharField(_("body outside the system"), max_length=200, blank=True)
    note = SealedTextField(_("transfer note"))
    statutory = models.BooleanField(default=False)
    """A hand-over that the law orders within hours, not a correction of the address."""
    sent_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledgement = models.CharField(max_length=120, blank=True)
    """Number of the receiving body's paper, when it is outside the system."""
    recalled_at = models.DateTimeField(null=True)
    """The sender took it back before anybody acknowledged."""

    class Meta:
        ordering = ["sent_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(to_unit__isnull=False) | ~Q(to_body=""), name="transfer_names_receiver"),
            models.CheckConstraint(
                condition=Q(acknowledged_at=None) | Q(recalled_at=None), name="transfer_ends_in_one_way"
            ),
            models.UniqueConstraint(
                fields=["case"], condition=Q(acknowledged_at=None, recalled_at=None), name="transfer_one_pending"
            ),
        ]
        indexes = [
            models.Index(
                fields=["to_unit"], condition=Q(acknowledged_at=None, recalled_at=None), name="transfer_arriving"
            )
        ]

    def __str__(self) -> str:
        return f"{self.sent_at:%Y-%m-%d}"

    @classmethod
    def arriving(cls, actor: Actor) -> Any:
        """Return the transfers on their way to units whose post this actor opens: the one way to a matter that
        another unit still holds, under the same rules of reach and concern."""
        rows = cls.system("arriving").filter(acknowledged_at=None, recalled_at=None)
        return rows.filter(_ARRIVING.condition(actor, "case.receive"))


class PaperRequest(_SealedWithCase):
    """One letter that lists everything missing. While it is open, the clock is paused."""

    access = Part(of="case")

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="paper_requests")
    round = models.PositiveSmallIntegerField(default=1)
    items = SealedJSONField()
    note = SealedTextField(blank=True)
    asked_at = models.DateTimeField()
    supplied_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["asked_at"]
        constraints = [models.UniqueConstraint(fields=["case", "round"], name="papers_asked_once_a_round")]

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d}"


class Rating(Guarded):
    """What somebody who was served says about how it went, without a link to the matter or the person.

    A stream of its own: all users after service. It keeps the unit, the kind of matter and the month, so
    that no officer can tell whose score it is; `Case.rated_round` alone prevents a second one.
    """

    access = Policy(scope="unit", province="province", read="results.read")

    unit = UnitKey(on_reorganisation="stays", related_name="+")
    province = UnitKey(on_reorganisation="stays", related_name="+", null=True)
    procedure = models.CharField(max_length=20)
    month = models.DateField()
    score = models.PositiveSmallIntegerField(_("score"))
    told_until_when = models.BooleanField(_("was told by when"), null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(score__gte=1, score__lte=5), name="score_from_1_to_5")]
        indexes = [models.Index(fields=["unit", "month"], name="rating_unit_month")]

    def __str__(self) -> str:
        return str(self.score)


class Draft(ShortLived, Guarded):
    """What somebody has typed so far, kept for three days, sealed, under an address that only they know. Once it is
    sent it says which kind it was, and nothing else."""

    access = Open("reached only by the random address; listed nowhere")

    data = SealedJSONField(default=dict)
    begun_on = models.DateField()
    case = models.OneToOneField(Case, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = SealedManager()  # type: ignore[misc]

    def draft_of(self) -> UUID:
        return self.pk

    def secret_of(self) -> UUID | None:
        return self.pk

    def __str__(self) -> str:
        return str(self.pk)


class DraftFile(ShortLived, Guarded):
    """A file added to a draft before it is sent, sealed as the draft is and kept under the digest of that."""

    access = Part(of="draft")

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="files")
    sha256 = models.CharField(max_length=64)
    sealed_with = models.UUIDField(null=True)
    name = SealedTextField()
    media_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField()

    objects = SealedManager()  # type: ignore[misc]

    def draft_of(self) -> UUID:
        return self.draft_id

    def secret_of(self) -> UUID | None:
        return self.draft_id

    def __str__(self) -> str:
        return self.name


def in_state(case: Case, state: str, _at: datetime) -> bool:
    """Say whether one loaded case is in a derived state (the counterpart of the queryset's methods)."""
    return case.state == state
