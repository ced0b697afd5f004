"""What people ask the gallery for."""

from datetime import timedelta
from typing import Any

from django import forms
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from accounts.roles import Role
from gallery.models import Album, AlbumMember, Decision, Media, Review, ReviewPolicy


class AlbumTab(models.TextChoices):
    """Whose albums."""

    TEAM = "team", _("Team")
    MINE = "mine", _("Mine")
    SHARED = "shared", _("Shared with me")
    PUBLISHED = "published", _("Published")

    def of(self, user: User, team: Team) -> QuerySet[Album]:
        """All that the tab holds, the latest changed first."""
        visible = Album.objects.visible_to(user)
        if self == AlbumTab.TEAM:
            return visible.filter(team=team)
        if self == AlbumTab.MINE:
            return visible.filter(owner=user)
        if self == AlbumTab.SHARED:
            return visible.filter(memberships__user=user)
        return visible.filter(visibility=Album.Visibility.PUBLISHED)


class ReviewTab(models.TextChoices):
    """Which reviews."""

    WAITING = "waiting", _("Waiting for me")
    ASKED = "asked", _("Asked by me")
    DECIDED = "decided", _("Decided")

    def of(self, user: User, team: Team) -> QuerySet[Review]:
        """All that the tab holds."""
        seen = Media.objects.visible_to(user).kept()
        if self == ReviewTab.WAITING:
            return Review.objects.waiting_for(user).filter(media__in=seen)
        if self == ReviewTab.ASKED:
            return Review.objects.open().filter(asked_by=user, media__in=seen)
        return Review.objects.exclude(closed=None).filter(media__in=seen, media__team=team).order_by("-closed")


class AlbumForm(forms.Form):
    """What an album is called and who sees it."""

    name = forms.CharField(label=_("Name"), max_length=120)
    description = forms.CharField(
        label=_("Description"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    visibility = forms.ChoiceField(label=_("Who sees it"), choices=Album.Visibility, initial=Album.Visibility.TEAM)


class SavedSearchForm(forms.Form):
    """What a search is kept under, and for whom."""

    name = forms.CharField(
        max_length=60,
        error_messages={"required": _("Give it a name first."), "max_length": _("That name is too long.")},
    )
    is_shared = forms.BooleanField(required=False)

    def first_error(self) -> str:
        """What is wrong with it, in one sentence."""
        return next(str(message) for messages in self.errors.values() for message in messages)


class AlbumMemberForm(forms.Form):
    """Somebody who is to have part in an album."""

    email = forms.EmailField(label=_("E-mail address"))
    right = forms.ChoiceField(label=_("Right"), choices=AlbumMember.Right)


class Errors(forms.Form):
    """A form whose errors are said in one line."""

    def all_errors(self) -> list[str]:
        """Every message, without the fields they belong to."""
        return [str(message) for messages in self.errors.values() for message in messages]


class CommentForm(Errors):
    """A remark, perhaps at a point, perhaps in answer to another."""

    text = forms.CharField(
        max_length=4000,
        error_messages={"required": _("Write something first."), "max_length": _("That is too long for one comment.")},
    )
    x = forms.FloatField(min_value=0, max_value=1, required=False)
    y = forms.FloatField(min_value=0, max_value=1, required=False)
    parent = forms.UUIDField(required=False)

    def clean(self) -> dict[str, Any]:
        """A point has both of its numbers or none."""
        cleaned = super().clean() or self.cleaned_data
        if (cleaned.get("x") is None) != (cleaned.get("y") is None):
            raise forms.ValidationError(_("Point at the picture once more."))
        return cleaned


class ReviewForm(Errors):
    """Who is to look at a picture, and what for."""

    reviewers = forms.TypedMultipleChoiceField(coerce=int, required=False)
    role = forms.ChoiceField(choices=[("", ""), *Role.choices], required=False)
    note = forms.CharField(max_length=2000, required=False)
    version_of = forms.UUIDField(required=False)

    def __init__(self, data) -> None:
        """Which people can be asked is for the service to say: any number is taken here."""
        super().__init__(data)
        self.fields["reviewers"].choices = [(pk, pk) for pk in data.getlist("reviewers")]


class DecisionForm(Errors):
    """What a reviewer says."""

    verdict = forms.ChoiceField(choices=Decision.Verdict)
    note = forms.CharField(max_length=2000, required=False)
    x = forms.FloatField(min_value=0, max_value=1, required=False)
    y = forms.FloatField(min_value=0, max_value=1, required=False)


class ShareForm(forms.Form):
    """What somebody outside may see, for how long."""

    class Days(models.TextChoices):
        """How long a link lives."""

        WEEK = "7", _("A week")
        MONTH = "30", _("A month")
        QUARTER = "90", _("Three months")
        FOREVER = "", _("Until it is revoked")

    name = forms.CharField(label=_("For whom"), max_length=120, required=False)
    days = forms.ChoiceField(label=_("Open for"), choices=Days, initial=Days.MONTH, required=False)
    password = forms.CharField(
        label=_("Password"),
        max_length=100,
        required=False,
        strip=False,
        help_text=_("Leave it empty to ask for none."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    may_download = forms.BooleanField(label=_("Originals can be downloaded"), required=False)

    def clean(self) -> dict[str, Any]:
        """Turns the days into a moment."""
        cleaned = super().clean() or self.cleaned_data
        days = cleaned.pop("days", "")
        cleaned["expires"] = timezone.now() + timedelta(days=int(days)) if days else None
        return cleaned


class BrandForm(forms.Form):
    """How a team shows itself on public pages."""

    name = forms.CharField(label=_("Name on public pages"), max_length=80, required=False)
    logo = forms.ImageField(label=_("Logo"), required=False, help_text=_("PNG, JPEG or WebP, at most 2 MB."))
    remove_logo = forms.BooleanField(label=_("Show no logo"), required=False)

    def clean_logo(self):
        """Refuses what is too large to be a logo, before anything decodes it."""
        logo = self.cleaned_data["logo"]
        if logo and (logo.size > 2 * 1024 * 1024 or max(logo.image.size) > 4096):
            raise forms.ValidationError(_("A logo has at most 2 MB and 4096 pixels a side."))
        return logo


class PolicyForm(forms.ModelForm):
    """What a team asks of a picture before it goes out."""

    class Meta:
        model = ReviewPolicy
        fields = ["approvals", "makers_may_approve", "marks_drafts"]
