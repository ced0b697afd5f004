"""What a team has settled for its prompts, for the table of doors: a style, a list, a template."""

from django.urls import reverse

from accounts.models import User
from generator.catalogue import install_builtin
from generator.models import PromptTemplate, StylePreset, WordList

STYLE = {
    "name": "Autumn light",
    "template": "{prompt}, low autumn sun",
    "negative": "snow",
    "families": ["starter"],
    "sample_prompt": "a red apple",
}
DATA: dict[str, dict] = {
    "generator:add_style": STYLE,
    "generator:change_style": STYLE | {"template": "{prompt} in autumn"},
    "generator:save_word_list": {"name": "colour", "words": "red\nblue"},
    "generator:save_prompt_template": {"name": "Shoe", "text": "a [colour] shoe"},
    "generator:suggest_prompts": {"prompt": "apple"},
}
PLAIN = (
    "generator:styles",
    "generator:add_style",
    "generator:words",
    "generator:save_word_list",
    "generator:save_prompt_template",
)
OF_A_TEAM = {  # of a team, never of one person
    "generator:style",
    "generator:change_style",
    "generator:retire_style",
    "generator:draw_style_sample",
    "generator:delete_word_list",
    "generator:delete_prompt_template",
}


def address(name: str, bob: User) -> str | None:
    """Where `name` is for something of bob's team; None for what is not of here."""
    if name in PLAIN:
        install_builtin()
        return reverse(name)
    if name not in OF_A_TEAM:
        return None
    install_builtin()
    team = bob.teams.get(name="Studio")
    if name == "generator:delete_word_list":
        row = WordList.objects.create(team=team, name="colour", words=["red"])
    elif name == "generator:delete_prompt_template":
        row = PromptTemplate.objects.create(team=team, name="Shoe", text="a [colour] shoe")
    else:
        row = StylePreset.objects.create(team=team, slug="autumn-1", **STYLE)
    return reverse(name, args=[row.pk])
