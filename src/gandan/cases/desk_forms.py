from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from gandan.access.clock import VIETNAM
from gandan.accounts.models import User
from gandan.cases import catalogue
from gandan.cases.models import Case
from gandan.obligations.models import Obligation
from gandan.staffing.models import Grant
from gandan.ui.forms import DayField
from gandan.units.models import Unit

_LONG = 20_000


class FilterForm(forms.Form):
    q = forms.CharField(label=_("Words or reference"), required=False, max_length=200)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("All")), ("unfinished", _("not answered yet")), *Case.State.choices],
    )
    procedure = forms.ChoiceField(label=_("Kind"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field: Any = self.fields["procedure"]
        field.choices = [("", _("All")), *((p.code, p.name) for p in catalogue.current())]


class IntakeForm(forms.Form):
    """A matter recorded at the desk or by phone: one screen."""

    submission = forms.UUIDField(widget=forms.HiddenInput)
    procedure = forms.ChoiceField(label=_("What is it about?"))
    unit = forms.ModelChoiceField(label=_("Unit"), queryset=Unit.objects.none(), to_field_name="slug", empty_label=None)
    channel = forms.ChoiceField(
        label=_("How did it come?"),
        choices=[c for c in Case.Channel.choices if c[0] != Case.Channel.WEB],
        widget=forms.RadioSelect(attrs={"class": "govuk-radios--inline"}),
        initial=Case.Channel.DESK,
    )
    received_on = DayField(label=_("Received on"))
    received_at = forms.TimeField(
        label=_("at"),
        input_formats=["%H:%M", "%H.%M", "%Hh%M"],
        help_text=_("Hour and minute, for example 22:40"),
        widget=forms.TextInput(attrs={"class": "govuk-input--width-5", "inputmode": "numeric"}),
        error_messages={"invalid": _("Enter hour and minute, for example 22:40")},
    )
    text = forms.CharField(
        label=_("What happened?"),
        max_length=_LONG,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Write in a few words what it is about")},
    )
    place = forms.CharField(label=_("Where?"), max_length=200, required=False)
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=30, required=False)
    address = forms.CharField(label=_("Address"), max_length=300, required=False)
    anonymous = forms.BooleanField(label=_("The person does not want to be named"), required=False)
    settled = forms.CharField(
        label=_("Settled on the spot? Write the answer"),
        max_length=_LONG,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Leave this empty when the matter goes on."),
    )

    def __init__(self, *args: Any, units: Any, moment: datetime, **options: Any) -> None:
        local = moment.astimezone(VIETNAM)
        options.setdefault("initial", {})
        options["initial"] = {
            "submission": uuid4(),
            "received_on": local.date(),
            "received_at": f"{local:%H:%M}",
            "channel": Case.Channel.DESK,
            **options["initial"],
        }
        super().__init__(*args, **options)
        procedures = catalogue.current()
        self.procedures = {p.code: p for p in procedures}
        procedure: Any = self.fields["procedure"]
        procedure.choices = [(p.code, p.name) for p in procedures if p.code not in ("OS-01",)]
        unit: Any = self.fields["unit"]
        unit.queryset = units
        unit.label_from_instance = lambda each: each.title
        if units.count() == 1:
            unit.initial = units.first().slug

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("received_on") and data.get("received_at"):
            data["moment"] = datetime.combine(data["received_on"], data["received_at"], VIETNAM)
        procedure = self.procedures.get(data.get("procedure", ""))
        if procedure is not None and procedure.identity == procedure.Identity.NAMED and data.get("anonymous"):
            self.add_error(
                "anonymous", _("This procedure needs a name. Choose “Feedback or proposal” to stay unnamed.")
            )
        return data


class TextForm(forms.Form):
    text = forms.CharField(label=_("Text"), max_length=_LONG, widget=forms.Textarea(attrs={"rows": 4}))

    def __init__(self, *args: Any, label: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if label:
            self.fields["text"].label = label


class AnswerForm(TextForm):
    outcome = forms.ChoiceField(
        label=_("Outcome"), choices=Case.Outcome.choices, widget=forms.RadioSelect, initial=Case.Outcome.SETTLED
    )


class AskForm(forms.Form):
    items = forms.CharField(
        label=_("What is missing"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One paper a line. List everything: it can be asked for only once."),
    )
    text = forms.CharField(
        label=_("A word to the person"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


class AssignForm(forms.Form):
    officer = forms.ModelChoiceField(label=_("Officer"), queryset=User.objects.none())

    def __init__(self, *args: Any, case: Case, day: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        roles = ("officer", "chief", "duty_officer", "oversight")
        grants = Grant.system("assignees").in_force(day).filter(unit=case.holder_id, role__in=roles)
        field: Any = self.fields["officer"]
        field.queryset = User.objects.filter(pk__in=grants.values("user"), is_active=True).order_by("full_name")
        field.label_from_instance = lambda user: user.title


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
    text = forms.CharField(label=_("Why it goes there"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class AcknowledgeForm(forms.Form):
    number = forms.CharField(label=_("Number of the receiver's paper"), max_length=120, required=False)


class ExtendForm(forms.Form):
    clock = forms.ChoiceField(label=_("Which term"))
    ground = forms.CharField(
        label=_("Ground"),
        max_length=200,
        help_text=_("The person reads it together with the apology and the new date."),
    )

    def __init__(self, *args: Any, obligations: list[Obligation], **options: Any) -> None:
        super().__init__(*args, **options)
        choices = [
            (f"{o.pk}:{rule['code']}", f"{o.clock} + {rule['amount']} {rule['unit']}")
            for o in obligations
            if o.discharged_at is None
            for rule in o.term.extensions
        ]
        field: Any = self.fields["clock"]
        field.choices = choices


class ApologyForm(TextForm):
    new_date = DayField(label=_("New date"))
