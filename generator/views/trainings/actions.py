"""What people do with a training: bring pictures and speak for them, start, rest, stop, take a point, retire it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from gallery.links import media_url
from gallery.models import Media
from gallery.views.tiles import smallest
from generator.models import Adapter, Checkpoint, TrainingPicture
from generator.services import Refused, trainings
from generator.training_forms import files_of
from generator.views.trainings.pages import changeable, visible

AT_ONCE = 60  # files in one go
KINDS = {"sample", "other"}


@login_required
@require_POST
def add_pictures(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Files for a draft; what is no picture is named, and the rest is taken."""
    found = changeable(request, pk)
    taken, refused = 0, []
    try:
        files = files_of(request.FILES.getlist("files"), AT_ONCE)
    except forms.ValidationError as error:
        messages.error(request, error.message)
        return redirect("generator:training", pk)
    for file in files:
        if file.size > trainings.MOST_BYTES:
            refused.append(_("“%(name)s” is larger than 32 MB.") % {"name": file.name})
            continue
        try:
            trainings.add_file(user=request.user, training=found, name=file.name, content=file.read())
            taken += 1
        except Refused as refusal:
            refused.append(str(refusal))
    if refused:
        messages.error(request, " ".join(dict.fromkeys(refused)))
    if taken:
        messages.success(request, ngettext("%(n)d picture taken.", "%(n)d pictures taken.", taken) % {"n": taken})
    return redirect("generator:training", pk)


@login_required
@require_POST
def state_rights(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Whose the pictures are, and that whoever is in them agrees: of all, or of those of which nobody has said it."""
    found = changeable(request, pk)
    unsaid = found.pictures.filter(removed=None, stated=None).values_list("pk", flat=True)
    chosen = None if request.POST.get("of") == "all" else list(unsaid)
    said = {name: request.POST.get(name, "") for name in ("rights", "people", "note")}
    return _do(request, pk, lambda: trainings.state_rights(user=request.user, training=found, pictures=chosen, **said))


@login_required
@require_POST
def change_picture(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Another caption, another crop, other rights."""
    picture = _picture(request, pk)
    training = changeable(request, picture.training_id)
    data = request.POST
    changes: dict[str, Any] = {name: data[name] for name in ("caption", "crop") if name in data}
    if changes.get("crop") not in (None, "none", "suggested"):
        changes.pop("crop")

    def work() -> None:
        trainings.change_picture(user=request.user, picture=picture, **changes)
        if data.get("rights") and data.get("people"):
            said = {"rights": data["rights"], "people": data["people"], "note": data.get("note", "")}
            trainings.state_rights(user=request.user, training=training, pictures=[picture.pk], **said)

    return _do(request, training.pk, work)


@login_required
@require_POST
def remove_picture(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Takes it out, and says which adapters have learned from it."""
    picture = _picture(request, pk)
    training = changeable(request, picture.training_id)

    def work() -> None:
        taught = trainings.remove_picture(user=request.user, picture=picture)
        if taught:
            names = ", ".join(f"{one.name} ({one.version})" for one in taught)
            says = _("Removed. These have learned from it and do not forget it: %(names)s. Retire them if need be.")
            messages.warning(request, says % {"names": names})

    return _do(request, training.pk, work)


@login_required
@require_safe
def picture_file(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A picture that was brought, for those who see its training; of the gallery's, for those who see them there."""
    picture = _picture(request, pk)
    if not picture.file.name:
        media = get_object_or_404(Media.objects.visible_to(request.user).kept(), pk=picture.media_id)
        return redirect(media_url(media, smallest(media), request.user))
    try:
        with picture.file.open("rb") as opened:
            content = opened.read()
    except FileNotFoundError as error:
        raise Http404 from error
    return _image(content)


@login_required
@require_safe
def sample(request: HttpRequest, pk: UUID, step: int, kind: str, number: int) -> HttpResponse:
    """A sample picture of a kept point."""
    training = visible(request, pk)
    content = trainings.read_sample(training, step, kind, number) if kind in KINDS else None
    if content is None:
        raise Http404
    return _image(content)


def _image(content: bytes) -> HttpResponse:
    kind = "image/jpeg" if content[:2] == b"\xff\xd8" else "image/png"
    headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type=kind, headers=headers)


@login_required
@require_POST
def start(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = changeable(request, pk)
    return _do(request, pk, lambda: trainings.start_training(user=request.user, training=found))


@login_required
@require_POST
def pause(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = changeable(request, pk)
    return _do(request, pk, lambda: trainings.pause_training(user=request.user, training=found))


@login_required
@require_POST
def resume(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = changeable(request, pk)
    return _do(request, pk, lambda: trainings.resume_training(user=request.user, training=found))


@login_required
@require_POST
def stop(request: HttpRequest, pk: UUID) -> HttpResponse:
    found = changeable(request, pk)
    return _do(request, pk, lambda: trainings.stop_training(user=request.user, training=found))


@login_required
@require_POST
def choose(request: HttpRequest, pk: UUID, step: int) -> HttpResponse:
    """Takes a kept point as an adapter of the team; with the weight that it looked best at, if that is said."""
    found = changeable(request, pk)

    def work() -> None:
        try:
            weight = float(request.POST["weight"]) if request.POST.get("weight") else None
        except ValueError as error:
            raise Refused(_("The weight of a LoRA is a number.")) from error
        made = trainings.choose_point(user=request.user, training=found, step=step, weight=weight)
        says = _("“%(name)s” (version %(n)d) can be chosen in Create now.")
        messages.success(request, says % {"name": made.name, "n": made.version or 1})

    return _do(request, pk, work)


@login_required
@require_POST
def again(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Another version: a draft with the same pictures and settings."""
    made = trainings.new_version(user=request.user, training=visible(request, pk))
    return redirect("generator:training", made.pk)


@login_required
@require_POST
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Removes it, with its pictures."""
    found = changeable(request, pk)
    try:
        trainings.delete_training(user=request.user, training=found)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("generator:training", pk)
    messages.success(request, _("“%(name)s” is deleted.") % {"name": found.name})
    return redirect("generator:trainings")


@login_required
@require_POST
def retire(request: HttpRequest, slug: str) -> HttpResponse:
    """Out of the menus (on=1), or back into them (on=0)."""
    of_team = {"slug": slug, "training__team": request.team}
    found = Adapter.objects.select_related("training__team").filter(**of_team).first()
    if found is None:
        found = get_object_or_404(Checkpoint.objects.select_related("training__team"), **of_team)
    trainings.retire_adapter(user=request.user, adapter=found, retired=request.POST.get("on") != "0")
    return redirect("generator:trainings")


def _picture(request: HttpRequest, pk: UUID) -> TrainingPicture:
    found = get_object_or_404(TrainingPicture.objects.filter(removed=None).select_related("training"), pk=pk)
    visible(request, found.training_id)
    return found


def _do(request: HttpRequest, pk: UUID, work: Callable[[], object]) -> HttpResponse:
    """Does it, and back to the page; what was refused is told there."""
    try:
        work()
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("generator:training", pk)
