"""Accounts: who may come in, who administers, how much each may make."""

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from accounts import services
from accounts.admin.pages import ReadOnly, show_once
from accounts.models import Membership, Usage, User


class PersonForm(forms.ModelForm):
    """Keeps an administrator from locking themselves out."""

    class Meta:
        labels = {"is_superuser": _("Administrator"), "is_active": _("May sign in")}
        help_texts = {
            "is_superuser": _("May use these pages: see every picture and job, and change people and models."),
            "is_active": _("Switch it off instead of deleting somebody: what they made stays."),
        }

    def clean_email(self) -> str:
        """Addresses are kept in lower case."""
        return self.cleaned_data["email"].lower()

    def clean(self) -> dict:
        """Another administrator can do what is refused here."""
        cleaned = super().clean()
        if self.instance.pk == self.current_user.pk and not (
            cleaned.get("is_active", True) and cleaned.get("is_superuser")
        ):
            raise forms.ValidationError(_("You cannot take your own access away. Ask another administrator."))
        return cleaned


class TeamsInline(TabularInline):
    """Where a person is; changed on the team's page, where the rule about owners is checked."""

    model = Membership
    fields = readonly_fields = ["team", "role", "joined"]
    extra = 0
    can_delete = False
    tab = True
    verbose_name_plural = _("teams")

    def has_add_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(ModelAdmin):
    """People. They are switched off rather than deleted: what they made, and the ledger, stay true."""

    form = PersonForm
    list_display = ["who", "role", "is_active", "second_factor", "today", "last_login", "date_joined"]
    list_filter = ["is_active", "is_superuser", "must_change_password", "last_login"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    inlines = [TeamsInline]
    readonly_fields = ["last_login", "date_joined", "must_change_password"]
    actions = ["give_one_time_password", "make_reset_link", "switch_off", "switch_on", "remove_second_factor"]
    add_fields = ["email", "name", "is_superuser", "pictures_per_day"]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> list:
        """A new person gets a one-time password: nothing to fill in for it."""
        if obj is None:
            return [(None, {"fields": self.add_fields})]
        return [
            (None, {"fields": ["email", "name", "pictures_per_day"]}),
            (_("Access"), {"fields": ["is_active", "is_superuser", *self.readonly_fields]}),
        ]

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list:
        """A new person is in no team yet."""
        return self.inlines if obj else []

    def get_form(self, request: HttpRequest, obj: User | None = None, **kwargs: object) -> type[forms.ModelForm]:
        """The form has to know who fills it in."""
        form = super().get_form(request, obj, **kwargs)
        form.current_user = request.user
        return form

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With today's pictures and whether there is a second factor, in the same query."""
        today = Usage.objects.filter(user=OuterRef("pk"), day=timezone.localdate())
        return (
            super()
            .get_queryset(request)
            .annotate(
                pictures_today=today.values("user").annotate(n=Sum("pictures")).values("n"),
                has_second_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"))),
            )
        )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: PersonForm, change: bool) -> None:
        """An administrator is one who may use all of the admin; a new person gets a team of their own."""
        obj.is_staff = obj.is_superuser
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        services.ensure_personal_team(obj)
        if "is_active" in form.changed_data:
            services.set_active(user=obj, active=obj.is_active)

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        """Tells the new person's one-time password."""
        return self._tell_passwords(request, User.objects.filter(pk=obj.pk))

    def _tell_passwords(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse:
        return show_once(
            request,
            title=_("One-time password"),
            note=_("Pass it on by a safe way. It is shown only now, and has to be changed at the next sign-in."),
            secrets=[(person.email, services.give_one_time_password(user=person)) for person in people],
            back=reverse("admin:accounts_user_changelist"),
        )

    @admin.action(description=_("Give a one-time password"))
    def give_one_time_password(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse:
        """Replaces the passwords."""
        return self._tell_passwords(request, queryset)

    @admin.action(description=_("Make a password-reset link"))
    def make_reset_link(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse:
        """For installations without mail."""
        base_url = request.build_absolute_uri("/")
        return show_once(
            request,
            title=_("Password-reset link"),
            note=_("Pass the link on by a safe way. It works once, and for three days."),
            secrets=[
                (person.email, services.password_reset_link(user=person, base_url=base_url)) for person in queryset
            ],
            back=reverse("admin:accounts_user_changelist"),
        )

    @admin.action(description=_("Switch off"))
    def switch_off(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Everybody chosen but oneself."""
        people = queryset.exclude(pk=request.user.pk)
        for person in people:
            services.set_active(user=person, active=False)
        self._say_done(request, len(people))

    @admin.action(description=_("Switch on"))
    def switch_on(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Lets them sign in again."""
        for person in queryset:
            services.set_active(user=person, active=True)
        self._say_done(request, len(queryset))

    @admin.action(description=_("Remove the second factor"))
    def remove_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """For somebody who lost phone, key and recovery codes."""
        Authenticator.objects.filter(user__in=queryset).delete()
        self._say_done(request, len(queryset))

    def _say_done(self, request: HttpRequest, count: int) -> None:
        messages.success(request, ngettext("%(n)d person changed.", "%(n)d people changed.", count) % {"n": count})

    @display(description=_("person"), header=True, ordering="email")
    def who(self, obj: User) -> list[str]:
        """Name, address and initials."""
        return [obj.name or obj.email, obj.email if obj.name else "", obj.initials]

    @display(description=_("role"), label={"admin": "warning"}, ordering="is_superuser")
    def role(self, obj: User) -> tuple[str, str] | None:
        """Only administrators stand out."""
        return ("admin", _("Administrator")) if obj.is_superuser else None

    @display(description=_("second factor"), label={"on": "success"})
    def second_factor(self, obj: User) -> tuple[str, str] | None:
        """Shown where one is set up."""
        return ("on", _("On")) if obj.has_second_factor else None

    @display(description=_("pictures today"))
    def today(self, obj: User) -> str:
        """Of how many."""
        return f"{obj.pictures_today or 0} / {services.daily_limit(obj)}"


@admin.register(Usage)
class UsageAdmin(ReadOnly, ModelAdmin):
    """The ledger: read only, since it is what quotas are counted by."""

    list_display = ["day", "user", "team", "pictures"]
    list_filter = ["day"]
    list_select_related = ["user", "team"]
    search_fields = ["user__email", "user__name", "team__name"]
    date_hierarchy = "day"
