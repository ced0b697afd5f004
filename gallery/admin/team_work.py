"""Albums, links, reviews, words and what happened, in the admin: to look at, and to close what must not stay open."""

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateTimeFilter
from unfold.decorators import action, display

from accounts.admin.pages import ReadOnly
from gallery.models import Activity, Album, AlbumMember, Comment, Decision, Review, ReviewPolicy, ShareLink


class MemberInline(ReadOnly, TabularInline):
    """Whom an album is shared with."""

    model = AlbumMember
    extra = 0
    fields = ["user", "right", "added"]


@admin.register(Album)
class AlbumAdmin(ReadOnly, ModelAdmin):
    """Every album of every team."""

    list_display = ["name", "team", "owner", "visibility", "pictures_in_it", "changed"]
    list_filter = [("team", AutocompleteSelectFilter), "visibility"]
    search_fields = ["name", "description"]
    fields = ["name", "description", "team", "owner", "visibility", "created", "changed"]
    inlines = [MemberInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Album]:
        return super().get_queryset(request).select_related("team", "owner").annotate(held=Count("items"))

    @display(description=_("pictures"), ordering="held")
    def pictures_in_it(self, album: Album) -> int:
        return album.held


@admin.register(ShareLink)
class ShareLinkAdmin(ReadOnly, ModelAdmin):
    """What people outside can see; any of it can be closed here."""

    list_display = ["__str__", "team", "created_by", "standing", "opened", "downloaded", "last_opened", "created"]
    list_filter = [("team", AutocompleteSelectFilter), "may_download", ("created", RangeDateTimeFilter)]
    search_fields = ["name", "created_by__email", "album__name"]
    fields = ["name", "team", "created_by", "media", "album", "may_download", "created", "expires", "revoked"]
    fields += ["opened", "downloaded", "last_opened"]
    actions = ["revoke"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ShareLink]:
        return super().get_queryset(request).select_related("team", "created_by", "media", "album")

    @display(description=_("state"), label={"open": "success", "closed": "danger"})
    def standing(self, link: ShareLink) -> tuple[str, str]:
        is_open = ShareLink.objects.valid().filter(pk=link.pk).exists()
        return ("open", _("Open")) if is_open else ("closed", _("Closed"))

    @action(description=_("Close the chosen links"))
    def revoke(self, request: HttpRequest, links: QuerySet[ShareLink]) -> None:
        n = links.filter(revoked=None).update(revoked=timezone.now())
        text = ngettext("%(n)d link is closed.", "%(n)d links are closed.", n) % {"n": n}
        messages.success(request, text)


class DecisionInline(ReadOnly, TabularInline):
    """What was decided: written once, never changed, here neither."""

    model = Decision
    extra = 0
    fields = readonly_fields = ["reviewer_name", "verdict", "note", "sha256", "created"]


@admin.register(Review)
class ReviewAdmin(ReadOnly, ModelAdmin):
    """Every request for a review and how it ended."""

    list_display = ["media", "asked_by", "role", "created", "closed"]
    list_filter = [("media__team", AutocompleteSelectFilter), ("created", RangeDateTimeFilter)]
    search_fields = ["media__prompt", "media__title", "asked_by__email"]
    fields = ["media", "asked_by", "reviewers", "role", "note", "created", "closed"]
    inlines = [DecisionInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        return super().get_queryset(request).select_related("media", "asked_by")


@admin.register(ReviewPolicy)
class ReviewPolicyAdmin(ModelAdmin):
    """What each team asks of a picture before it goes out."""

    list_display = ["team", "approvals", "makers_may_approve", "marks_drafts"]
    autocomplete_fields = ["team"]


@admin.register(Comment)
class CommentAdmin(ReadOnly, ModelAdmin):
    """What people said, for those who answer for it."""

    list_display = ["__str__", "author", "media", "created", "resolved", "deleted"]
    list_filter = [("media__team", AutocompleteSelectFilter), ("created", RangeDateTimeFilter)]
    search_fields = ["text", "author__email"]
    fields = ["text", "author", "media", "parent", "created", "edited", "resolved", "deleted"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Comment]:
        return super().get_queryset(request).select_related("author", "media")


@admin.register(Activity)
class ActivityAdmin(ReadOnly, ModelAdmin):
    """Who did what, in every team: only ever added to."""

    list_display = ["created", "actor", "verb", "team", "text"]
    list_filter = [("team", AutocompleteSelectFilter), "verb", ("created", RangeDateTimeFilter)]
    search_fields = ["actor__email", "text"]
    fields = ["created", "actor", "verb", "team", "media", "album", "text"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Activity]:
        return super().get_queryset(request).select_related("team", "actor")
