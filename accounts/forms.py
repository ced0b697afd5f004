"""What people fill in about themselves and their teams."""

from allauth.account.forms import SetPasswordForm
from django import forms
from django.conf import settings
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, Membership, Team, User, WebhookEvent
from accounts.roles import Action, Role


class FirstPasswordForm(SetPasswordForm):
    """The password that takes the place of a one-time password, asked for right after signing in with that."""

    def clean_password1(self) -> str:
        """Refuses the one-time password itself: somebody else has seen it."""
        password = self.cleaned_data["password1"]
        if self.user.check_password(password):
            raise forms.ValidationError(_("Choose another one than the one-time password."))
        return password


class JoinForm(forms.Form):
    """A new person's answer to an invitation."""

    name = forms.CharField(
        label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )
    password = forms.CharField(
        label=_("Choose a password"),
        strip=False,
        max_length=256,
        help_text=_("At least 10 characters; a few words in a row are easy to remember and hard to guess."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class ProfileForm(forms.ModelForm):
    """How a person appears, and how Atelier appears to them."""

    class Meta:
        model = User
        fields = ["name", "theme", "language"]
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"}), "theme": forms.RadioSelect}

    def __init__(self, *args, **kwargs) -> None:
        """Languages are asked for where there is a choice."""
        super().__init__(*args, **kwargs)
        choices = [("", _("As the browser asks")), *((code, own_name(code)) for code, _name in settings.LANGUAGES)]
        self.fields["language"] = forms.ChoiceField(label=_("Language"), choices=choices, required=False)
        if len(settings.LANGUAGES) == 1:
            del self.fields["language"]


def own_name(code: str) -> str:
    """What a language calls itself."""
    name = get_language_info(code)["name_local"]
    return name[:1].upper() + name[1:]


class ThemeForm(forms.ModelForm):
    """The switch in the menu: the colours, and nothing else."""

    class Meta:
        model = User
        fields = ["theme"]


class CloseAccountForm(forms.Form):
    """The person's own address, typed: nobody does that by mistake."""

    email = forms.CharField(
        label=_("Your e-mail address"), widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, *args, user: User, **kwargs) -> None:
        """`user`: who is asked."""
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self) -> str:
        """Has to be theirs."""
        email = self.cleaned_data["email"].strip()
        if email.lower() != self.user.email.lower():
            raise forms.ValidationError(_("This is not the address of this account."))
        return email


class TeamForm(forms.ModelForm):
    """A team's name."""

    class Meta:
        model = Team
        fields = ["name"]


class RoleForm(forms.Form):
    """A role out of those that the person may give."""

    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args, roles: list[Role], **kwargs) -> None:
        """`roles`: what may be chosen."""
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.value, role.label) for role in roles]


class SharesForm(forms.Form):
    """How a team's turn is divided among its members: a field for each, named by the key of the membership."""

    def __init__(self, *args, members: list[Membership], **kwargs) -> None:
        """`members`: who is in the team."""
        super().__init__(*args, **kwargs)
        for member in members:
            widget = forms.NumberInput(attrs={"inputmode": "numeric"})
            self.fields[str(member.pk)] = forms.IntegerField(
                label=str(member.user), min_value=1, max_value=100, initial=member.share, widget=widget
            )

    @property
    def shares(self) -> dict[int, int]:
        """By the keys of memberships."""
        return {int(name): share for name, share in self.cleaned_data.items()}


class InviteForm(RoleForm):
    """Whom to invite as what."""

    email = forms.EmailField(
        label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@…"})
    )
    field_order = ["email", "role"]


class ApiKeyForm(forms.ModelForm):
    """A new key: what for, how much it may, and for how long."""

    DAYS = {"30": _("30 days"), "90": _("90 days"), "365": _("a year"), "": _("until it is revoked")}

    days = forms.TypedChoiceField(
        label=_("Valid for"), choices=list(DAYS.items()), coerce=int, empty_value=None, required=False, initial="90"
    )

    class Meta:
        model = ApiKey
        fields = ["name", "scope", "team"]
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "off", "placeholder": _("Product shots script")})}

    def __init__(self, *args, person: User, **kwargs) -> None:
        """Offers the teams that `person` is in."""
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = Team.objects.where(person, Action.CREATE).filter(personal_of=None)
        self.fields["team"].empty_label = _("My personal team")


class WebhookForm(forms.Form):
    """An address and what it is told."""

    url = forms.URLField(
        label=_("Address"),
        max_length=500,
        assume_scheme="https",
        widget=forms.URLInput(
            attrs={"class": "input", "placeholder": "https://example.com/atelier", "autocomplete": "off"}
        ),
    )
    events = forms.MultipleChoiceField(
        label=_("Tell it when"),
        choices=WebhookEvent.choices,
        initial=[WebhookEvent.JOB_DONE, WebhookEvent.JOB_FAILED],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
