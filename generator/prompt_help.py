"""Help with words, without a language model: templates with gaps, and prompts that were liked or used before."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from gallery.models import Like, Media
from generator.batches.matrix import escape
from generator.catalogue import TEMPLATES
from generator.models import Prompt, PromptTemplate

LEAST_LETTERS = 3
SHOWN = 6
WORDS_SOUGHT = 8  # the last ones of a long prompt
LIKES_READ = 400  # the latest in the team: what was liked long ago is no longer what the team looks for


@dataclass(frozen=True)
class Template:
    """A prompt with gaps; `is_own`: the team's, not one that ships."""

    name: str | Promise
    text: str | Promise
    is_own: bool


@dataclass(frozen=True)
class Suggestion:
    """A whole prompt, and why it is offered."""

    text: str
    reason: str | Promise


def templates(team: Team, words: str = "") -> list[Template]:
    """The team's own, then those that ship; with `words`, those that have them."""
    own = [Template(row.name, row.text, True) for row in PromptTemplate.objects.filter(team=team)]
    shipped = [Template(name, text, False) for name, text in TEMPLATES]
    sought = words.casefold()
    return [one for one in own + shipped if sought in f"{one.name} {one.text}".casefold()]


def suggestions(*, user: User, team: Team, words: str) -> list[Suggestion]:
    """Prompts with all the words being typed: the team's liked ones that `user` sees, then those of the history."""
    if len(words) < LEAST_LETTERS:
        return []
    found: dict[str, Suggestion] = {}
    parts = words.split()[-WORDS_SOUGHT:]
    for one in (*_liked(user, team, parts), *_used(user, team, parts)):
        if one.text.casefold() != words.casefold():
            found.setdefault(one.text.casefold(), one)
        if len(found) == SHOWN:
            break
    return list(found.values())


def _liked(user: User, team: Team, words: list[str]) -> Iterator[Suggestion]:
    latest = Like.objects.filter(media__team=team).order_by("-pk").values_list("media", flat=True)[:LIKES_READ]
    prompts = Media.objects.visible_to(user).kept().filter(pk__in=list(latest)).filter(*_all(words, "prompt"))
    for prompt in dict.fromkeys(prompts.order_by("-created").values_list("prompt", flat=True)[: 4 * SHOWN]):
        yield Suggestion(escape(prompt), _("liked in the team"))


def _used(user: User, team: Team, words: list[str]) -> Iterator[Suggestion]:
    used = Prompt.objects.visible_to(user).filter(user=user, team=team).filter(*_all(words, "text"))
    for prompt in used.order_by("-uses", "-last_used")[:SHOWN]:
        yield Suggestion(prompt.text, _("used before"))


def _all(words: list[str], column: str) -> list[Q]:
    return [Q(**{f"{column}__icontains": word}) for word in words]
