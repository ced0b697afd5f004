"""What people ask the gallery for."""

from django import forms
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from gallery.models import Media


class Tab(models.TextChoices):
    """Whose pictures."""

    MINE = "mine", _("Mine")
    TEAM = "team", _("Team")
    PUBLISHED = "published", _("Published")


class Search(forms.Form):
    """The gallery's address: which tab, and what narrows it. The picture page carries it, to walk the same order."""

    tab = forms.ChoiceField(choices=Tab, required=False)
    q = forms.CharField(max_length=200, required=False)
    style = forms.CharField(max_length=60, required=False)
    model = forms.CharField(max_length=120, required=False)

    @property
    def tab_name(self) -> str:
        """The chosen tab; the first one when the address names none."""
        return self.cleaned_data["tab"] or Tab.MINE

    def of_tab(self, *, user: User, team: Team) -> QuerySet[Media]:
        """All that the tab holds, newest first."""
        visible = Media.objects.visible_to(user).kept()
        if self.tab_name == Tab.MINE:
            return visible.filter(owner=user)
        if self.tab_name == Tab.TEAM:
            return visible.filter(team=team)
        return visible.filter(visibility=Media.Visibility.PUBLISHED)

    def narrow(self, pictures: QuerySet[Media]) -> QuerySet[Media]:
        """Those of `pictures` that match the text and the choices."""
        wanted = self.cleaned_data
        if wanted["q"]:
            pictures = pictures.filter(Q(prompt__icontains=wanted["q"]) | Q(title__icontains=wanted["q"]))
        if wanted["style"]:
            pictures = pictures.filter(style=wanted["style"])
        if wanted["model"]:
            pictures = pictures.filter(checkpoint=wanted["model"])
        return pictures

    def query(self, **changes: str) -> str:
        """The query string of this search with `changes`, ? included; empty when nothing is asked for."""
        values = {key: value for key, value in {**self.cleaned_data, **changes}.items() if value}
        return f"?{urlencode(values)}" if values else ""

    @property
    def is_narrowed(self) -> bool:
        """Whether anything beside the tab was asked for."""
        return any(self.cleaned_data[name] for name in ("q", "style", "model"))
