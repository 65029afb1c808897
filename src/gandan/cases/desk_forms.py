from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from gandan.access import Actor, today
from gandan.access.clock import VIETNAM, day_of
from gandan.accounts.models import User
from gandan.cases import catalogue, permissions
from gandan.cases.models import Case, Procedure
from gandan.obligations import explain, terms
from gandan.obligations.forms import UNIT_NAMES
from gandan.obligations.models import Obligation, Term
from gandan.staffing.models import Grant
from gandan.ui.forms import DayField
from gandan.units.models import Unit, find

# Far above what anybody types: no counter is drawn for them.
_LONG, _SHORT = 20_000, 2_000
_LATEST_ENTRY = timedelta(days=90)
"""How far back a matter may be written down: beyond it lies a slip of the pen in month or year."""
_GROUP_NAMES = {
    "report": _("Reports and proposals"),
    "complaint": _("Complaints and denunciations"),
    "residence": _("Residence"),
    "papers": _("Papers and registration"),
    "safety": _("Safety"),
    "rights": _("Rights"),
}


class FilterForm(forms.Form):
    """What narrows the list. A value that does not exist narrows nothing and is told."""

    q = forms.CharField(label=_("Words or reference"), required=False, max_length=200)
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("All")), *Case.State.choices])
    procedure = forms.ChoiceField(label=_("Kind"), required=False)
    officer = forms.ChoiceField(label=_("Officer"), required=False)
    unit = forms.ModelChoiceField(
        label=_("Unit"), queryset=Unit.objects.none(), to_field_name="slug", required=False, empty_label=_("All")
    )

    def __init__(self, *args: Any, units: Any, actor: Actor, **options: Any) -> None:
        super().__init__(*args, **options)
        procedure: Any = self.fields["procedure"]
        procedure.choices = [("", _("All")), *procedure_choices(catalogue.current())]
        officer: Any = self.fields["officer"]
        officer.choices = [("", _("All")), ("me", _("me")), ("nobody", _("nobody yet")), *_colleagues(actor)]
        unit: Any = self.fields["unit"]
        unit.queryset, unit.label_from_instance = units, lambda each: each.title
        if units.count() < 2:
            del self.fields["unit"]


def _time_field(**options: Any) -> forms.TimeField:
    return forms.TimeField(
        input_formats=["%H:%M", "%H.%M", "%Hh%M"],
        widget=forms.TextInput(attrs={"class": "govuk-input--width-5", "inputmode": "numeric"}),
        error_messages={"invalid": _("Enter hour and minute, for example 22:40")},
        **options,
    )


class IntakeForm(forms.Form):
    """A matter recorded at the desk or by phone: one screen.

    `same_as` and `another` are what the two buttons say when the same words were recorded a moment ago.
    """

    submission = forms.UUIDField(widget=forms.HiddenInput)
    same_as = forms.UUIDField(widget=forms.HiddenInput, required=False)
    another = forms.BooleanField(widget=forms.HiddenInput, required=False)
    procedure = forms.ChoiceField(label=_("What is it about?"))
    text = forms.CharField(
        label=_("What happened?"),
        validators=[MaxLengthValidator(_LONG)],
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Write in a few words what it is about")},
    )
    place = forms.CharField(label=_("Where?"), max_length=200, required=False)
    name = forms.CharField(label=_("Name of the person"), max_length=120, required=False)
    phone = forms.CharField(
        label=_("Phone"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "class": "govuk-input--width-10"}),
    )
    address = forms.CharField(label=_("Address"), max_length=300, required=False)
    anonymous = forms.BooleanField(label=_("The person does not want to be named"), required=False)
    about_us = forms.BooleanField(label=_("It is about a police unit or an officer"), required=False)
    named = forms.CharField(
        label=_("About whom?"),
        max_length=200,
        required=False,
        help_text=_("Only for a matter about an officer: the name, or what is known. It goes to the inspector above."),
    )
    channel = forms.ChoiceField(
        label=_("How did it come?"),
        choices=[c for c in Case.Channel.choices if c[0] != Case.Channel.WEB],
        widget=forms.RadioSelect(attrs={"class": "govuk-radios--inline"}),
        initial=Case.Channel.DESK,
    )
    received_on = DayField(label=_("Received on"))
    received_at = _time_field(label=_("at"), help_text=_("Hour and minute, for example 22:40"))
    unit = forms.ModelChoiceField(label=_("Unit"), queryset=Unit.objects.none(), to_field_name="slug", empty_label=None)
    complex = forms.BooleanField(
        label=_("It is complex or has to be verified, and the law gives a longer term"), required=False
    )
    settled = forms.CharField(
        label=_("Settled on the spot? Write the answer"),
        validators=[MaxLengthValidator(_LONG)],
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Leave this empty when the matter goes on."),
    )

    def __init__(
        self,
        *args: Any,
        units: Any,
        moment: datetime,
        may_settle: bool,
        inspecting: bool = False,
        **options: Any,
    ) -> None:
        local = moment.astimezone(VIETNAM)
        first = {
            "submission": uuid4(),
            "received_on": local.date(),
            "received_at": f"{local:%H:%M}",
            "channel": Case.Channel.DESK,
        }
        options["initial"] = {**first, **(options.get("initial") or {})}
        super().__init__(*args, **options)
        self.procedures = {each.code: each for each in catalogue.current() if each.code not in _FOR_THE_DESK_ITSELF}
        procedure: Any = self.fields["procedure"]
        procedure.choices = [("", _("Choose what it is about")), *procedure_choices(list(self.procedures.values()))]
        unit: Any = self.fields["unit"]
        unit.queryset, unit.label_from_instance = units, lambda each: each.title
        known = list(units[:2])
        if len(known) == 1:
            unit.initial, unit.widget = known[0].slug, forms.HiddenInput()
        longer = self._named(_with_a_longer_term(local.date()))
        self.fields["complex"].help_text = _("Only for: %(names)s. The receipt shows the longer date.") % {
            "names": longer
        }
        if not longer:
            del self.fields["complex"]
        handed_over = self._named(_to_be_handed_over(local.date()))
        if not may_settle:
            del self.fields["settled"]
        elif handed_over:
            self.fields["settled"].help_text = _(
                "Leave this empty when the matter goes on. Not for what the law orders to be handed over: %(names)s."
            ) % {"names": handed_over}
        self.inspecting = inspecting
        if inspecting:
            unit.label = _("Which unit is it about?")
            del self.fields["about_us"]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("received_on") and data.get("received_at"):
            data["moment"] = datetime.combine(data["received_on"], data["received_at"], VIETNAM)
            if data["received_on"] < today() - _LATEST_ENTRY:
                self.add_error(
                    "received_on",
                    _("This day lies more than %(days)d days back. Check the month and the year.")
                    % {"days": _LATEST_ENTRY.days},
                )
        procedure = self.procedures.get(data.get("procedure", ""))
        if procedure is not None and procedure.identity == Procedure.Identity.NAMED and data.get("anonymous"):
            self.add_error(
                "anonymous", _("This procedure needs a name. Choose “Feedback or proposal” to stay unnamed.")
            )
        if procedure is not None and data.get("moment"):
            self._ask_the_law(procedure.code, day_of(data["moment"]), data)
        return data

    def _ask_the_law(self, procedure: str, on: date, data: dict[str, Any]) -> None:
        if data.get("complex") and procedure not in _with_a_longer_term(on):
            self.add_error(
                "complex",
                _(
                    "For this kind of matter the law gives no longer term that begins with the receipt. Take the tick "
                    "out; where the law asks for a formal acceptance, it is said there."
                ),
            )
        if data.get("settled") and procedure in _to_be_handed_over(on):
            self.add_error(
                "settled", _("The law orders this matter to be handed over. Leave the answer empty, then send it on.")
            )

    def _named(self, codes: Collection[str]) -> str:
        """Return the names of these procedures, as the list above has them."""
        return ", ".join(each.name for code, each in self.procedures.items() if code in codes)

    def renew(self, before: Case) -> None:
        """Give the form a number of its own where its number belongs to a matter already."""
        if self.cleaned_data["submission"] == before.submission:
            sent: Any = self.data
            sent = sent.copy()
            sent["submission"] = str(uuid4())
            self.data = sent

    @property
    def concern(self) -> dict[str, Any] | None:
        """Return whom the matter is about, or None when it is not about the police."""
        named = self.cleaned_data.get("named", "").strip()
        chosen = self.procedures[self.cleaned_data["procedure"]]
        if not (self.inspecting or self.cleaned_data.get("about_us") or named or chosen.about_service):
            return None
        return {"unit": self.cleaned_data["unit"], "named": named}


class EarlierForm(forms.Form):
    """What happened earlier and is written down only now: both fields, or neither."""

    earlier_on = DayField(
        label=_("Done earlier? On which day"),
        required=False,
        help_text=_("Leave this empty when it happens now. Otherwise both times are kept, and everybody sees both."),
    )
    earlier_at = _time_field(label=_("at"), required=False, help_text=_("Hour and minute, for example 22:40"))

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("earlier_on") and data.get("earlier_at") is None and "earlier_at" not in self.errors:
            self.add_error("earlier_at", _("Enter hour and minute, for example 22:40"))
        if data.get("earlier_at") and data.get("earlier_on") is None and "earlier_on" not in self.errors:
            self.add_error("earlier_on", _("Enter the day, for example 15 11 2026"))
        return data

    @property
    def at(self) -> datetime | None:
        """Return when it happened, or None when that is now."""
        day, time_of_day = self.cleaned_data.get("earlier_on"), self.cleaned_data.get("earlier_at")
        return datetime.combine(day, time_of_day, VIETNAM) if day and time_of_day else None


class TextForm(forms.Form):
    text = forms.CharField(
        label=_("Text"), validators=[MaxLengthValidator(_LONG)], widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, *args: Any, label: Any = None, required: bool = True, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["text"].required = required
        if label:
            self.fields["text"].label = label


class AcceptForm(forms.Form):
    complex = forms.BooleanField(
        label=_("It is a complex matter, for which the law gives a longer term"), required=False
    )


class AnswerForm(TextForm, EarlierForm):
    outcome = forms.ChoiceField(
        label=_("Outcome"), choices=Case.Outcome.choices, widget=forms.RadioSelect, initial=Case.Outcome.SETTLED
    )


class AskForm(forms.Form):
    items = forms.CharField(
        label=_("What is missing"),
        validators=[MaxLengthValidator(_SHORT)],
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One paper a line. List everything: it can be asked for only once."),
    )
    text = forms.CharField(
        label=_("A word to the person"),
        validators=[MaxLengthValidator(_SHORT)],
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class SupplyForm(TextForm, EarlierForm):
    file = forms.FileField(label=_("A scan or photo of the paper"), required=False)


class AssignForm(forms.Form):
    officer = forms.ModelChoiceField(label=_("Officer"), queryset=User.objects.none())

    def __init__(self, *args: Any, case: Case, by: Actor, **options: Any) -> None:
        super().__init__(*args, **options)
        roles = ("officer", "chief", "oversight")
        grants = Grant.system("assignees").in_force(today()).filter(unit=case.holder_id, role__in=roles)
        field: Any = self.fields["officer"]
        field.queryset = User.objects.filter(pk__in=grants.values("user"), is_active=True).order_by("full_name", "pk")
        field.label_from_instance = lambda user: user.title
        if permissions.is_about_us(case, by):
            # Not even the names of those it concerns stand in the list.
            fit = [user.pk for user in field.queryset if permissions.work(case, user) is None]
            field.queryset = field.queryset.filter(pk__in=fit)


class SendForm(forms.Form):
    to_unit = forms.CharField(
        label=_("Unit"),
        required=False,
        max_length=120,
        help_text=_("Name or code of the unit, with or without diacritics."),
    )
    to_body = forms.CharField(
        label=_("or another body"),
        required=False,
        max_length=200,
        help_text=_("For example the provincial investigating agency, the commune's people's committee."),
    )
    text = forms.CharField(
        label=_("Why it goes there"),
        validators=[MaxLengthValidator(_SHORT)],
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_to_unit(self) -> Unit | None:
        """Return the one living unit that has this name or code."""
        typed = self.cleaned_data["to_unit"].strip()
        if not typed:
            return None
        found = [unit for unit in find(typed, today()) if unit.is_alive(today())]
        exact = [unit for unit in found if unit.title.casefold() == typed.casefold()]
        found = exact if len(exact) == 1 else found
        if not found:
            raise forms.ValidationError(_("No unit has this name. Check the spelling, or type the official code."))
        if len(found) > 1:
            raise forms.ValidationError(
                _("Several units have this name: %(names)s. Type the full name or the official code."),
                params={"names": ", ".join(unit.title for unit in found[:5])},
            )
        return found[0]


class AcknowledgeForm(EarlierForm):
    number = forms.CharField(label=_("Number of the receiver's paper"), max_length=120, required=False)


class CorrectForm(forms.Form):
    """The right kind of a matter, as it was in force when the matter came."""

    kind = forms.ChoiceField(label=_("It is in truth"), error_messages={"required": _("Choose the right kind")})
    ground = forms.CharField(
        label=_("Why the first kind was wrong"),
        validators=[MaxLengthValidator(_SHORT)],
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The person reads it. The dates are counted again from the day on which the matter came."),
    )
    named = forms.CharField(
        label=_("About whom?"),
        max_length=200,
        required=False,
        help_text=_("Only when it is about the police: it then leaves your lists at once for the inspector above."),
    )

    def __init__(self, *args: Any, case: Case, **options: Any) -> None:
        super().__init__(*args, **options)
        on = day_of(case.received_at)
        barred = {*_FOR_THE_DESK_ITSELF, case.procedure.code}
        self.procedures = {each.code: each for each in catalogue.current(on) if each.code not in barred}
        kind: Any = self.fields["kind"]
        kind.choices = [("", _("Choose what it is about")), *procedure_choices(list(self.procedures.values()))]

    @property
    def procedure(self) -> Procedure:
        return self.procedures[self.cleaned_data["kind"]]


class ExtendForm(forms.Form):
    clock = forms.ChoiceField(label=_("Which term"))
    ground = forms.CharField(
        label=_("Ground"),
        max_length=200,
        help_text=_("The person reads it together with the apology and the new date."),
    )
    decision = forms.CharField(
        label=_("Number of the decision"),
        max_length=120,
        required=False,
        help_text=_("When another authority grants the extension."),
    )

    def __init__(self, *args: Any, obligations: Sequence[Obligation], **options: Any) -> None:
        super().__init__(*args, **options)
        self.obligations = {str(each.pk): each for each in obligations if each.discharged_at is None}
        field: Any = self.fields["clock"]
        field.choices = [
            (f"{key}:{rule['code']}", _extension_words(each, rule))
            for key, each in self.obligations.items()
            for rule in each.term.extensions
        ]

    @property
    def is_idle(self) -> bool:
        """Say whether the law gives no extension for any promise that runs."""
        field: Any = self.fields["clock"]
        return not field.choices

    @property
    def chosen(self) -> tuple[Obligation, str]:
        key, code = self.cleaned_data["clock"].split(":", 1)
        return self.obligations[key], code


def _extension_words(obligation: Obligation, rule: dict[str, Any]) -> str:
    """Return by how much a promise may be extended, for what, and how often."""
    parts = {
        "promise": explain.name(obligation),
        "amount": rule["amount"],
        "unit": UNIT_NAMES[rule["unit"]],
        # A code that we do not know at least tells two extensions apart.
        "ground": _EXTENSION_GROUNDS.get(rule["code"], rule["code"]),
        "times": rule.get("times", 1),
    }
    if parts["times"] > 1:
        return str(_("%(promise)s: + %(amount)s %(unit)s, up to %(times)s times (%(ground)s)") % parts)
    return str(_("%(promise)s: + %(amount)s %(unit)s (%(ground)s)") % parts)


class ApologyForm(TextForm):
    new_date = DayField(label=_("New date"))

    @property
    def end(self) -> datetime:
        """Return the midnight that ends the day promised."""
        return datetime.combine(self.cleaned_data["new_date"] + timedelta(days=1), time(0), VIETNAM)


def procedure_choices(procedures: Sequence[Procedure]) -> list[tuple[Any, list[tuple[str, str]]]]:
    """Return procedures under the headings of the public list."""
    return [
        (name, [(each.code, each.name) for each in procedures if each.group == group])
        for group, name in _GROUP_NAMES.items()
        if any(each.group == group for each in procedures)
    ]


def _colleagues(actor: Actor) -> list[tuple[str, str]]:
    """Return those who work on matters in one's own unit; a whole province is chosen by unit instead."""
    reach = actor.reach("case.read")
    if reach.provinces or reach.everything:
        return []
    grants = Grant.system("colleagues").in_force(today()).filter(unit__in=reach.units)
    people = User.objects.filter(pk__in=grants.values("user")).order_by("full_name", "pk")
    return [(str(user.pk), user.title) for user in people[:100] if user.pk != actor.user_id]


def _with_a_longer_term(on: date) -> set[str]:
    """Return the procedures for which the law gives complex matters a longer term that begins with the receipt."""
    return {term.procedure for term in _begun_at_receipt(on) if term.complex_amount is not None}


def _to_be_handed_over(on: date) -> set[str]:
    """Return the procedures whose matters the law orders to be handed over."""
    return {term.procedure for term in _begun_at_receipt(on) if term.ends_on == "handed_over"}


def _begun_at_receipt(on: date) -> list[Term]:
    """Return our own terms whose clocks `actions.receive` starts."""
    return [
        term
        for term in terms.all_in_force(on)
        if term.body == terms.OURS and term.starts_on in ("received", "complete")
    ]


_EXTENSION_GROUNDS = {
    "extend_complex": _("a complex matter"),
    "extend_very_complex": _("a very complex matter"),
    "extend_promise": _("more time for what we promised ourselves"),
    "extend_once": _("more time, once"),
    "extend_1": _("the first extension"),
    "extend_2": _("the second extension"),
    "explain": _("the person asks to be heard"),
}
"""What the extensions of the reference terms are for, by their code."""

_FOR_THE_DESK_ITSELF = frozenset({"OS-01"})
"""Rules of the one-stop desk: a slip and an apology, nothing that somebody brings."""
