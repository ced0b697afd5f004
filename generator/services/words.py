"""A team's word lists and prompt templates."""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from generator.models import PromptTemplate, WordList
from generator.services.creating import Refused

MOST_LISTS = 100
MOST_TEMPLATES = 100


def save_words(*, user: User, team: Team, name: str, words: Sequence[str], known: WordList | None = None) -> WordList:
    """A new word list of `team`, or another content of a `known` one. Refused when the name is taken."""
    _check(user, team, known)
    if known is None and WordList.objects.filter(team=team).count() >= MOST_LISTS:
        raise Refused(_("A team has at most %(most)d word lists. Delete one first.") % {"most": MOST_LISTS})
    row = known or WordList(team=team)
    row.name, row.words = name, list(words)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Refused(_("There is a list “%(name)s” already. Change that one.") % {"name": name}) from error
    return row


def save_template(
    *, user: User, team: Team, name: str, text: str, known: PromptTemplate | None = None
) -> PromptTemplate:
    """A new prompt template of `team`, or another content of a `known` one."""
    _check(user, team, known)
    if known is None and PromptTemplate.objects.filter(team=team).count() >= MOST_TEMPLATES:
        raise Refused(_("A team has at most %(most)d templates. Delete one first.") % {"most": MOST_TEMPLATES})
    row = known or PromptTemplate(team=team)
    row.name, row.text = name, text
    row.save()
    return row


def delete_words(*, user: User, row: WordList | PromptTemplate) -> None:
    """Takes a list or a template away. Prompts that name the list then say so."""
    _check(user, row.team, row)
    row.delete()


def _check(user: User, team: Team, row: WordList | PromptTemplate | None) -> None:
    if not can(user, Action.CREATE, team) or (row is not None and row.team_id != team.pk):
        raise PermissionDenied
