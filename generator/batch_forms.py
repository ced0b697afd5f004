"""What people ask for many times at once: a prompt with choices, or a table of prompts with settings for all rows."""

import random
import secrets
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Team
from generator.batches import matrix, table
from generator.formats import FORMATS
from generator.forms import MAX_PICTURES, GenerationForm, whole
from generator.models import Batch, Checkpoint, Generation, StylePreset, WordList
from generator.services import Refused, check_size, datasets, prepare, prepare_row

LONGEST_NAME = 120
SHOWN_PROBLEMS = 100


class MatrixForm(GenerationForm):
    """The composer: its prompt may stand for many."""

    origin = Batch.Origin.MATRIX
    prompts: list[str]
    draw = forms.IntegerField(required=False)  # what chance starts from: what was confirmed is what is made

    def clean_prompt(self) -> str:
        """The text as it was written; what it stands for is in `prompts`."""
        text = self.cleaned_data["prompt"]
        lists = WordList.objects.filter(team=self.team) if matrix.wildcards(text) else WordList.objects.none()
        chance = random.Random(self.data.get("seed") or self.draw_from)
        try:
            self.prompts = matrix.expand(text, {one.name: one.words for one in lists}, chance)
        except matrix.MatrixError as error:
            raise forms.ValidationError(str(error)) from error
        return text

    @cached_property
    def draw_from(self) -> str:
        """Told again with the form when a batch is confirmed."""
        return self.data.get("draw") or str(secrets.randbelow(2**31))

    @property
    def called(self) -> str:
        """The name of the batch."""
        return _short(self.template)

    @property
    def template(self) -> str:
        """The prompt with its choices."""
        return self.cleaned_data["prompt"]

    def single(self) -> dict[str, Any]:
        """What `services.create_generation` takes when the text stands for one prompt."""
        written = self.template if matrix.wildcards(self.template) else None
        return {**self.arguments(), "prompt": self.prompts[0], "written": written}

    def generations(self) -> list[Generation]:
        """The requests, not written yet; each draws its own seed unless one was given. Raises Refused."""
        settings = self.arguments()
        settings.pop("visibility", None)
        return [prepare(**{**settings, "prompt": prompt}) for prompt in self.prompts]


class RowForm(GenerationForm):
    """One row of a table over the settings for all rows."""

    title = forms.CharField(max_length=LONGEST_NAME, required=False)
    count = whole(1, matrix.MOST * MAX_PICTURES)  # in as many jobs as it takes


class TableForm(GenerationForm):
    """A table of prompts, chosen as a file or put in as text, and the settings of what its cells leave out."""

    origin = Batch.Origin.TABLE
    template = ""

    prompt = None
    seed = None
    file = forms.FileField(required=False, error_messages={"empty": gettext_lazy("This file is empty.")})
    table = forms.CharField(required=False, strip=False)
    name = forms.CharField(max_length=LONGEST_NAME, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Knows no rows and no problems yet."""
        super().__init__(*args, **kwargs)
        self.problems: list[table.Problem] = []
        self._generations: list[Generation] = []

    def clean(self) -> dict[str, Any]:
        """Reads the file, else the text. A row that cannot be made becomes a problem with its line."""
        cleaned = super().clean()
        if file := cleaned.get("file"):
            try:
                cleaned["table"] = table.decode(file.read(table.MOST_BYTES + 1))
            except ValueError as error:
                self.add_error("file", str(error))
                return cleaned
            cleaned["name"] = cleaned.get("name") or _short(file.name.rpartition(".")[0])
        if not cleaned.get("table", "").strip():
            self.add_error("file", _("Choose a file, or put the rows in."))
        elif len(cleaned["table"].encode()) > table.MOST_BYTES:
            self.add_error("table", _("The table is larger than 1 MB."))
        elif not self.errors:
            self._read(cleaned)
        return cleaned

    @property
    def called(self) -> str:
        """The name of the batch."""
        return self.cleaned_data["name"]

    def generations(self) -> list[Generation]:
        """The requests, at least one a row, not written yet."""
        return self._generations

    def _read(self, cleaned: dict[str, Any]) -> None:
        found = table.read(cleaned["table"])
        self.problems = found.problems
        usual = {name: self.data.get(name, "") for name in RowForm.base_fields}
        names = _Names(self.team)
        for row in found.rows:
            try:
                self._generations += self._row({**usual, **names.resolve(row.cells)})
            except (forms.ValidationError, Refused) as error:
                reasons = error.messages if isinstance(error, forms.ValidationError) else [str(error)]
                self.problems.append(table.Problem(row.line, " ".join(reasons)))
            try:
                check_size(self._generations)
            except Refused as refusal:
                self.problems.append(table.Problem(row.line, str(refusal)))
                break
        self.problems.sort(key=lambda problem: problem.line)
        if self.problems:
            self.add_error(None, _("Nothing was started: the table needs a correction."))
        if not cleaned.get("name") and self._generations:
            cleaned["name"] = _short(self._generations[0].prompt)

    def _row(self, values: dict[str, str]) -> list[Generation]:
        form = RowForm(values, team=self.team)
        if not form.is_valid():
            raise forms.ValidationError(
                [_labelled(name, text) for name, texts in form.errors.items() for text in texts]
            )
        settings = form.arguments()
        settings.pop("visibility", None)
        return prepare_row(**settings)


class DataSetForm(forms.Form):
    """How near to a training picture is too near."""

    bound = forms.IntegerField(required=False, min_value=datasets.LEAST, max_value=datasets.MOST)


class _Names:
    """What the cells of a table call models, styles and formats: by name, short name or proportions."""

    def __init__(self, team: Team | None) -> None:
        self.known = {
            "model": _both(Checkpoint.objects.enabled()),
            "style": _both(StylePreset.objects.offered_to(team)),
            "format": {},
        }
        for item in FORMATS.values():
            for name in (item.slug, str(item.label), item.ratio):
                self.known["format"][name.casefold()] = item.slug

    def resolve(self, cells: dict[str, str]) -> dict[str, str]:
        """The cells as a form takes them. ValidationError for a name that nothing has."""
        resolved = dict(cells)
        for column, known in self.known.items():
            if column not in cells:
                continue
            value = known.get(cells[column].casefold())
            if value is None:
                text = _("%(column)s: there is no “%(value)s”. Known are: %(known)s.")
                names = ", ".join(sorted(set(known.values())))
                raise forms.ValidationError(text % {"column": column, "value": cells[column], "known": names})
            resolved["checkpoint" if column == "model" else column] = value
        resolved.pop("model", None)
        return resolved


def _both(rows) -> dict[str, str]:
    return {name.casefold(): row.slug for row in rows for name in (row.slug, row.name)}


def _labelled(name: str, text: str) -> str:
    return text if name in ("prompt", "__all__") else f"{'model' if name == 'checkpoint' else name}: {text}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"
