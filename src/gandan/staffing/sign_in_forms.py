from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

REASONS = [
    ("lost_phone", _("the phone or key is lost")),
    ("forgotten", _("the password is forgotten")),
    ("suspected", _("somebody else may have used the account")),
    ("left", _("the person left or moved")),
    ("returned", _("the person came back")),
    ("order", _("ordered in writing")),
]


class HelpForm(forms.Form):
    """One kind of help, with its reason for the record."""

    what = forms.ChoiceField(label=_("What to do"), widget=forms.RadioSelect)
    reason = forms.ChoiceField(label=_("Why"), choices=[("", _("Choose a reason")), *REASONS])

    def __init__(self, *args: Any, is_active: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        closing = ("close", _("Close the account")) if is_active else ("reopen", _("Open the account again"))
        self.fields["what"].choices = [  # type: ignore[attr-defined]
            ("link", _("Make a link for a new password")),
            ("factor", _("Take away the second factor")),
            ("sessions", _("Sign the person out everywhere")),
            closing,
        ]
