"""Teams, who is in them, and who is invited."""

from functools import partial

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from accounts import services
from accounts.admin.pages import show_once
from accounts.live import publish_access_changed
from accounts.models import Invitation, Membership, Team
from accounts.roles import Role


class KeepsAnOwner(BaseInlineFormSet):
    """A team without an owner could not be managed by anybody in it."""

    def clean(self) -> None:
        """Counts what would be left."""
        super().clean()
        kept = [row.cleaned_data for row in self.forms if row.is_valid() and not row.cleaned_data.get("DELETE")]
        if not any(row.get("role") == Role.OWNER for row in kept):
            raise forms.ValidationError(_("A team needs an owner."))


class MembersInline(TabularInline):
    """People and their roles."""

    model = Membership
    formset = KeepsAnOwner
    fields = ["user", "role", "share"]
    autocomplete_fields = ["user"]
    extra = 0
    min_num = 1


class KindFilter(admin.SimpleListFilter):
    """Hides the teams of one, of which there are as many as people."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        """Two kinds."""
        return [("shared", _("Shared")), ("personal", _("Personal"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Team]) -> QuerySet[Team]:
        """All, unless one is chosen."""
        return queryset.filter(personal_of__isnull=self.value() == "shared") if self.value() else queryset


@admin.register(Team)
class TeamAdmin(ModelAdmin):
    """Teams. None is deleted here: its pictures would go with it."""

    list_display = ["title", "members_count", "share", "created"]
    list_filter = [KindFilter, "created"]
    list_select_related = ["personal_of"]
    search_fields = ["name", "memberships__user__email", "memberships__user__name"]
    fields = ["name", "share"]

    def get_inlines(self, request: HttpRequest, obj: Team | None) -> list:
        """A personal team has one member, always the same."""
        return [] if obj and obj.is_personal else [MembersInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        """With the number of members."""
        return super().get_queryset(request).annotate(people=Count("memberships", distinct=True))

    def has_delete_permission(self, request: HttpRequest, obj: Team | None = None) -> bool:
        return False

    def save_formset(
        self, request: HttpRequest, form: forms.ModelForm, formset: BaseInlineFormSet, change: bool
    ) -> None:
        """Whoever lost rights loses open pages too."""
        super().save_formset(request, form, formset, change)
        for membership in [*formset.deleted_objects, *(changed for changed, _fields in formset.changed_objects)]:
            transaction.on_commit(partial(publish_access_changed, membership.user_id))

    @display(description=_("team"), header=True, ordering="name")
    def title(self, obj: Team) -> list[str]:
        """The name, and whose personal team it is."""
        return [obj.name, str(obj.personal_of) if obj.is_personal else "", obj.initials]

    @display(description=_("members"), ordering="people")
    def members_count(self, obj: Team) -> int:
        """How many people."""
        return obj.people


class InvitationForm(forms.ModelForm):
    """A new invitation."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Personal teams have one member."""
        super().__init__(*args, **kwargs)
        if "team" in self.fields:
            self.fields["team"].queryset = Team.objects.filter(personal_of=None)

    def clean(self) -> dict:
        """Says before saving what the service would refuse."""
        cleaned = super().clean()
        there = Membership.objects.filter(team=cleaned.get("team"), user__email__iexact=cleaned.get("email", ""))
        if there.exists():
            raise forms.ValidationError(_("%(email)s is already in this team.") % {"email": cleaned["email"]})
        return cleaned


@admin.register(Invitation)
class InvitationAdmin(ModelAdmin):
    """Who was invited. A new one shows its link once; nothing about it changes afterwards but by withdrawing."""

    form = InvitationForm
    list_display = ["email", "team", "role", "state", "invited_by", "created", "expires"]
    list_filter = ["role", "created", "accepted", "revoked"]
    list_select_related = ["team", "invited_by"]
    search_fields = ["email", "team__name"]
    fields = ["team", "email", "role"]
    actions = ["withdraw"]

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        """Kept, so that it can be seen later who let whom in."""
        return False

    def save_model(self, request: HttpRequest, obj: Invitation, form: InvitationForm, change: bool) -> None:
        """The service writes the row, and mails the link where it can."""
        made, request.invitation_link = services.invite(
            user=request.user, base_url=request.build_absolute_uri("/"), **form.cleaned_data
        )
        obj.pk = made.pk

    def response_add(self, request: HttpRequest, obj: Invitation, post_url_continue: str | None = None) -> HttpResponse:
        """Shows the link."""
        return show_once(
            request,
            title=_("Invitation link"),
            note=_("Pass the link on by a safe way. It is shown only now, works once, and for a week."),
            secrets=[(obj.email, request.invitation_link)],
            back=reverse("admin:accounts_invitation_changelist"),
        )

    @admin.action(description=_("Withdraw"), permissions=["add"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """Makes the links worthless."""
        for invitation in queryset:
            services.revoke_invitation(user=request.user, invitation=invitation)

    @display(
        description=_("state"), label={"open": "info", "accepted": "success", "revoked": "danger", "expired": "warning"}
    )
    def state(self, obj: Invitation) -> tuple[str, str]:
        """Where it stands."""
        if obj.accepted:
            return "accepted", _("Accepted")
        if obj.revoked:
            return "revoked", _("Withdrawn")
        if obj.expires <= timezone.now():
            return "expired", _("Expired")
        return "open", _("Open")
