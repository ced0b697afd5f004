"""What people fill in about themselves and their teams."""

from allauth.account.forms import SetPasswordForm
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from accounts.roles import Role


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
        fields = ["name", "theme"]
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"}), "theme": forms.RadioSelect}


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


class InviteForm(RoleForm):
    """Whom to invite as what."""

    email = forms.EmailField(
        label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@…"})
    )
    field_order = ["email", "role"]
