"""What people do with the pictures they have chosen. Each answers with a toast that says how many it was true for."""

import json
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.permissions import can
from accounts.roles import Action, roles_for
from gallery import services
from gallery.forms import ReviewForm
from gallery.models import Album, Media
from gallery.services import Outcome, Refused

SHOWN = 100  # albums to choose from


@login_required
@require_POST
def trash(request: HttpRequest) -> HttpResponse:
    """Into the trash, with an Undo."""
    return _do(request, "trash", services.trash_many, _moved_to_trash)


@login_required
@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Back from the trash."""
    return _do(request, "restore", services.restore_many, _restored)


@login_required
@require_POST
def like(request: HttpRequest) -> HttpResponse:
    """Sets one's likes (liked=1) or takes them back (liked=0)."""
    if request.POST.get("liked") not in {"0", "1"}:
        return HttpResponseBadRequest(_("“liked” must be 0 or 1."))
    liked = request.POST["liked"] == "1"
    return _do(request, "like" if liked else "unlike", services.like_many, _liked if liked else _unliked, liked=liked)


@login_required
@require_POST
def visibility(request: HttpRequest) -> HttpResponse:
    """Who may see them from now on."""
    wanted = request.POST.get("visibility")
    if wanted not in Media.Visibility.values:
        return HttpResponseBadRequest(_("Choose who may see the pictures."))
    return _do(request, "visibility", services.set_visibility_many, _changed, visibility=wanted)


@login_required
def tag(request: HttpRequest) -> HttpResponse:
    """Asks which tags (GET), then adds them (POST)."""
    if request.method != "POST":
        return _ask(request, "gallery/_many_tags.html", names=_tags_of(request))
    return _do(request, "tag", services.tag_many, _tagged, words=request.POST.get("tags", "").split(","))


@login_required
def album(request: HttpRequest) -> HttpResponse:
    """Asks which album (GET), then puts them at its end (POST): one that is there, or a new one."""
    if request.method != "POST":
        albums = Album.objects.editable_by(request.user).filter(team=request.team)[:SHOWN]
        may_make = can(request.user, Action.ORGANISE, request.team)
        return _ask(request, "gallery/_many_album.html", albums=albums, may_make=may_make)
    name = request.POST.get("name", "").strip()[:120]
    if name:
        made = services.create_album(user=request.user, team=request.team, name=name)
    else:
        chosen = request.POST.get("album", "")
        rows = Album.objects.visible_to(request.user)
        made = get_object_or_404(rows, pk=chosen) if _is_uuid(chosen) else None
        if made is None:
            return _answer(request, "", text=_("Choose an album, or name a new one."))
    return _do(request, "album", services.add_many_to_album, _added(made), album=made)


@login_required
def review(request: HttpRequest) -> HttpResponse:
    """Asks who is to look (GET), then asks them (POST)."""
    if request.method != "POST":
        people = [person for person in services.people_to_ask(request.team) if person.pk != request.user.pk]
        roles = [(role, role.label) for role in roles_for(Action.REVIEW)]
        return _ask(request, "gallery/_many_review.html", people=people, roles=roles)
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return _answer(request, "", text=" ".join(form.all_errors()))
    wanted = form.cleaned_data
    people = [person for person in services.people_to_ask(request.team) if person.pk in wanted["reviewers"]]
    more = {"reviewers": people, "role": wanted["role"], "note": wanted["note"]}
    return _do(request, "review", services.ask_review_many, _asked, **more)


@login_required
@require_POST
def purge(request: HttpRequest) -> HttpResponse:
    """Deletes for good what is in the trash; asks first."""
    if "sure" not in request.POST:
        try:
            ids = _ids(request)
        except ValueError:
            return HttpResponseBadRequest(_("These are no pictures."))
        learned = services.learned_in_words(user=request.user, media=ids)
        return _ask(
            request, "gallery/_many_purge.html", ids=ids, learned=learned, address=reverse("gallery:many_purge")
        )
    return _do(request, "purge", services.purge_many, _purged)


@login_required
@require_POST
def empty(request: HttpRequest) -> HttpResponse:
    """Deletes for good all that is in the trash; asks first."""
    if "sure" not in request.POST:
        count = Media.objects.editable_by(request.user).trashed().count()
        return _ask(request, "gallery/_many_purge.html", count=count, address=reverse("gallery:empty_trash"))
    count = services.empty_trash(user=request.user)
    text = ngettext("%(n)d picture is gone for good.", "%(n)d pictures are gone for good.", count) % {"n": count}
    messages.success(request, text)
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": reverse("gallery:trash")})
    return redirect("gallery:trash")


def _do(request: HttpRequest, verb: str, service, say, /, **more) -> HttpResponse:
    """Calls the service for the chosen pictures and says what came of it."""
    try:
        outcome = service(user=request.user, media=_ids(request), **more)
    except ValueError:
        return HttpResponseBadRequest(_("These are no pictures."))
    except Refused as refusal:
        return _answer(request, "", text=str(refusal))
    text = _said(outcome, say)
    if verb == "trash":
        text = f"{text} {services.learned_in_words(user=request.user, media=outcome.changed)}".strip()
    return _answer(request, verb, text=text, outcome=outcome)


def _said(outcome: Outcome, say) -> str:
    """ "12 pictures moved to the trash. 3 of 15 stay as they are: not yours to change (3)." """
    parts = [say(len(outcome.changed))] if outcome.changed else []
    if spared := outcome.spared.total():
        reasons = "; ".join(
            f"{reason} ({n})" if len(outcome.spared) > 1 else reason for reason, n in outcome.spared.items()
        )
        facts = {"n": spared, "all": outcome.asked, "reasons": reasons}
        stays = ngettext(
            "%(n)d of %(all)d stays as it is: %(reasons)s.", "%(n)d of %(all)d stay as they are: %(reasons)s.", spared
        )
        parts.append(stays % facts)
    return " ".join(parts)


def _answer(request: HttpRequest, verb: str, *, text: str, outcome: Outcome | None = None) -> HttpResponse:
    ids = outcome.changed if outcome else []
    undo = reverse("gallery:many_restore") if verb == "trash" and ids else ""
    if request.htmx:
        response = render(request, "gallery/_many_done.html", {"text": text, "undo_url": undo, "ids": ids})
        told = {"verb": verb, "media": [str(pk) for pk in ids]}
        response["HX-Trigger"] = json.dumps({"atelier:many": told})
        return response
    messages.info(request, text)
    return redirect("gallery:trash" if verb in ("restore", "purge") else "gallery:index")


def _ask(request: HttpRequest, template: str, **context) -> HttpResponse:
    """A form for the sheet, or on a page of its own."""
    if request.htmx:
        return render(request, template, context)
    chosen = ",".join(str(pk) for pk in context.pop("ids", None) or _ids(request))
    return render(request, "gallery/many.html", {"form": template, "chosen": chosen, **context})


def _ids(request: HttpRequest) -> list[UUID]:
    """The chosen pictures: `ids` in one field by commas, as scripts send them, or `media` for each."""
    sent = request.POST if request.method == "POST" else request.GET
    return [UUID(word) for word in [*sent.get("ids", "").split(","), *sent.getlist("media")] if word]


def _tags_of(request: HttpRequest) -> list[str]:
    return list(request.team.tags.values_list("name", flat=True)[:200])


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _moved_to_trash(n: int) -> str:
    return ngettext("%(n)d picture moved to the trash.", "%(n)d pictures moved to the trash.", n) % {"n": n}


def _restored(n: int) -> str:
    return ngettext("%(n)d picture is back.", "%(n)d pictures are back.", n) % {"n": n}


def _liked(n: int) -> str:
    return ngettext("You like %(n)d picture.", "You like %(n)d pictures.", n) % {"n": n}


def _unliked(n: int) -> str:
    return ngettext("%(n)d like taken back.", "%(n)d likes taken back.", n) % {"n": n}


def _changed(n: int) -> str:
    return ngettext("%(n)d picture changed.", "%(n)d pictures changed.", n) % {"n": n}


def _tagged(n: int) -> str:
    return ngettext("%(n)d picture has the tags now.", "%(n)d pictures have the tags now.", n) % {"n": n}


def _asked(n: int) -> str:
    return ngettext("A review of %(n)d picture was asked for.", "Reviews of %(n)d pictures were asked for.", n) % {
        "n": n
    }


def _purged(n: int) -> str:
    return ngettext("%(n)d picture is gone for good.", "%(n)d pictures are gone for good.", n) % {"n": n}


def _added(album: Album):
    def words(n: int) -> str:
        text = ngettext("%(n)d picture stands in “%(album)s”.", "%(n)d pictures stand in “%(album)s”.", n)
        return text % {"n": n, "album": album}

    return words
