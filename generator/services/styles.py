"""A team's styles: made, changed, retired. Every set of words is kept, and each gets a picture that shows it."""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from generator.models import Checkpoint, Job, StylePreset, StyleVersion
from generator.services.creating import Refused, create_generation

SAMPLE_SEED = 100  # the same for all, so that samples differ by their style alone
MOST_STYLES = 60  # of a team; more are not found any more in a menu


@transaction.atomic
def add_style(
    *, user: User, team: Team, name: str, template: str, negative: str, families: Sequence[str], sample_prompt: str
) -> StylePreset:
    """A new style of `team`. Raises PermissionDenied, Refused when there are too many."""
    _check(user, team)
    if StylePreset.objects.filter(team=team, is_enabled=True).count() >= MOST_STYLES:
        raise Refused(_("A team has at most %(most)d styles. Retire one first.") % {"most": MOST_STYLES})
    style = StylePreset(
        team=team,
        slug=f"{slugify(name)[:36] or 'style'}-{get_random_string(8, 'abcdefghjkmnpqrstuvwxyz23456789')}",
        name=name,
        template=template,
        negative=negative,
        families=list(families),
        sample_prompt=sample_prompt,
        order=StylePreset.objects.filter(team=team).count(),
    )
    style.save(force_insert=True)
    _note(style, user)
    return style


@transaction.atomic
def change_style(
    *,
    user: User,
    style: StylePreset,
    name: str,
    template: str,
    negative: str,
    families: Sequence[str],
    sample_prompt: str,
) -> bool:
    """Changes a style; other words become its next version, and requests made before keep theirs.

    Whether its picture no longer shows it.
    """
    _check(user, style.team)
    style = StylePreset.objects.select_for_update().get(pk=style.pk)
    is_other = (template, negative) != (style.template, style.negative)
    needs_sample = is_other or sample_prompt != style.sample_prompt or list(families) != style.families
    style.name, style.families, style.sample_prompt = name, list(families), sample_prompt
    style.template, style.negative = template, negative
    style.version += is_other
    style.save()
    if is_other:
        _note(style, user)
    return needs_sample


def retire_style(*, user: User, style: StylePreset, retired: bool = True) -> None:
    """Takes a style out of the menus, or puts it back. What was made with it stays as it is."""
    _check(user, style.team)
    StylePreset.objects.filter(pk=style.pk).update(is_enabled=not retired)


@transaction.atomic
def draw_sample(*, user: User, style: StylePreset) -> Job:
    """Asks for the picture that shows a style: an ordinary one of the team's. Raises as create_generation does."""
    team = _check(user, style.team)
    able = [one for one in Checkpoint.objects.enabled() if one.family in style.families]
    if not able:
        raise Refused(_("No model that is switched on draws this style, so it has no sample yet."))
    job = create_generation(
        user=user,
        team=team,
        checkpoint=able[0],
        prompt=style.sample_prompt,
        style=style,
        count=1,
        seed=SAMPLE_SEED,
        title=_("Sample of the style “%(name)s”") % {"name": style.name},
        written="",
    )
    StylePreset.objects.filter(pk=style.pk).update(sample_job=job.pk)
    return job


def _check(user: User, team: Team | None) -> Team:
    """Those that ship belong to no team: administrators change them in the admin."""
    if team is None or not can(user, Action.CURATE, team):
        raise PermissionDenied
    return team


def _note(style: StylePreset, user: User) -> None:
    StyleVersion.objects.create(
        style=style, number=style.version, template=style.template, negative=style.negative, made_by=user
    )
