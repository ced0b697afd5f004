"""Words that a team keeps for its prompts: lists to draw from, and sentences with gaps."""

import re

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Team

MOST_WORDS = 500
NAME = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
SLOT = re.compile(r"\[([^\[\]{}\n]{1,40})\]")


class WordList(models.Model):
    """The words that `__name__` stands for in a prompt of this team."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="word_lists")
    name = models.CharField(
        _("name"),
        max_length=40,
        validators=[RegexValidator(rf"^{NAME}\Z", _("Small letters, digits and single hyphens, a letter first."))],
    )
    words = models.JSONField(_("words"), default=list)

    class Meta:
        verbose_name = _("word list")
        verbose_name_plural = _("word lists")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["team", "name"], name="one_word_list_a_name")]

    def __str__(self) -> str:
        return f"__{self.name}__"


class PromptTemplate(models.Model):
    """A prompt with gaps to fill in: “product photo of [product] on [surface], [light]”."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="prompt_templates")
    name = models.CharField(_("name"), max_length=60)
    text = models.CharField(_("text"), max_length=600)

    class Meta:
        verbose_name = _("prompt template")
        verbose_name_plural = _("prompt templates")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def slots(text: str) -> list[str]:
    """The names of the gaps in a template, each once, in their order."""
    return list(dict.fromkeys(SLOT.findall(text)))
