"""Writing down an officer whom a matter is about, and stepping back from it."""

from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gandan.access import Actor
from gandan.accounts.models import User
from gandan.cases import concerns
from gandan.cases.models import Case

_LONGEST = 2_000


def _reason(label: Any, hint: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=hint,
        validators=[MaxLengthValidator(_LONGEST)],
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ConcernForm(forms.Form):
    """An officer of the units concerned, or one found by name, and why."""

    officer = forms.ChoiceField(label=gettext_lazy("Officer"), required=False)
    search = forms.CharField(
        label=gettext_lazy("Not in the list? Name or user name"),
        required=False,
        max_length=120,
        help_text=gettext_lazy("Whoever has this name in your area is then added to the list for you to choose."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    reason = _reason(
        gettext_lazy("Why the matter is about this officer"),
        gettext_lazy("From then on the officer cannot find or open the matter. It cannot be taken back here."),
    )

    def __init__(self, *args: Any, case: Case, by: Actor, **options: Any) -> None:
        super().__init__(*args, **options)
        typed = self.data.get(self.add_prefix("search"), "") if self.is_bound else ""
        near, self.found = concerns.candidates(case), concerns.found(case, by, typed[:120])
        self.people: dict[str, User] = {str(user.pk): user for user, _unit in (*near, *self.found)}
        field: Any = self.fields["officer"]
        field.choices = [("", _("Choose the officer"))]
        for heading, rows in (
            (_("Units that it is about"), near),
            (_("Found by name"), self.found[: concerns.MOST]),
        ):
            if rows:
                field.choices += [(heading, [(str(user.pk), f"{user.title} · {unit}") for user, unit in rows])]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        typed = data.get("search", "").strip()
        if "officer" in self.errors:
            return data
        if not data.get("officer"):
            self._ask_to_choose(typed)
        elif typed and data["officer"] not in {str(user.pk) for user, _unit in self.found}:
            self.add_error("search", _("You chose one officer and typed the name of another. Keep one of the two."))
        return data

    def _ask_to_choose(self, typed: str) -> None:
        if not typed:
            self.add_error("officer", _("Choose the officer, or type a name below"))
        elif not self.found:
            self.add_error("search", _("Nobody in your area has this name. Check the spelling."))
        elif len(self.found) > concerns.MOST:
            self.add_error("search", _("Many people have this name. Type more of it."))
        else:
            self.add_error("officer", _("The name was found: choose the person in the list, then send again"))

    @property
    def chosen(self) -> User:
        return self.people[self.cleaned_data["officer"]]


class RecuseForm(forms.Form):
    """Why somebody steps back, and that they know what it means."""

    reason = _reason(
        gettext_lazy("Why you step back"),
        gettext_lazy("For example: the person is a relative. Those who go on with the matter read it."),
    )
    sure = forms.BooleanField(
        label=gettext_lazy("I know that I cannot find or open this matter any more"),
        error_messages={"required": gettext_lazy("Tick the box to confirm it")},
    )
