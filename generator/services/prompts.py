"""The history of prompts: remember, keep, share, forget."""

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Team, User
from generator.models import Prompt


def remember_prompt(*, user: User, team: Team, text: str, negative: str) -> None:
    """One more use of a prompt in its writer's history."""
    digest = Prompt.digest_of(text, negative)
    known = Prompt.objects.filter(user=user, team=team, digest=digest)
    if known.update(uses=F("uses") + 1, last_used=timezone.now()):
        return
    try:
        with transaction.atomic():
            Prompt.objects.create(user=user, team=team, text=text, negative=negative, digest=digest)
    except IntegrityError:  # the same text was sent twice at once
        known.update(uses=F("uses") + 1)


def save_prompt(*, user: User, prompt: Prompt, saved: bool = True) -> None:
    """Keeps a prompt at the top of one's history, or lets it sink again."""
    _change_prompt(user, prompt, is_saved=saved)


def share_prompt(*, user: User, prompt: Prompt, shared: bool = True) -> None:
    """Shows a prompt to the team it was written in, or takes it back."""
    _change_prompt(user, prompt, is_shared=shared)


def _change_prompt(user: User, prompt: Prompt, **fields: bool) -> None:
    if not Prompt.objects.filter(pk=prompt.pk, user=user).update(**fields):
        raise PermissionDenied


def delete_prompt(*, user: User, prompt: Prompt) -> None:
    """Forgets a prompt of one's own."""
    if not Prompt.objects.filter(pk=prompt.pk, user=user).delete()[0]:
        raise PermissionDenied
