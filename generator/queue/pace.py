"""How long a job will take: from what was measured (StepTime), else from the nearest thing that was."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from generator.models import Job, StepTime

FIRST_GUESS = 1.0  # seconds for one unit of cost, until a model has been measured here: cost is itself a guess at them
GUESSED_STEP = 0.5  # seconds for a step of one megapixel, until anything has been measured here
GUESSED_LOAD = 10.0  # seconds to load a model that nobody has loaded yet
GUESSED_SPREAD = 0.5
LOADED = 0.1  # seconds that finding a model may take when it is in memory already
FULL_WEIGHT = 20  # jobs after which a row counts as much as any other


@dataclass(frozen=True)
class Duration:
    """Seconds on a worker, and by what part of them it is off on average."""

    seconds: float
    spread: float


@dataclass
class Paces:
    """All that was measured, read once to answer many questions."""

    rows: list[StepTime]
    _work: dict[tuple[str, int, int, int, str], Duration] = field(default_factory=dict)
    _load: dict[tuple[str, str], float] = field(default_factory=dict)

    @classmethod
    def read(cls) -> "Paces":
        """What is known at this moment: one small query."""
        return cls(list(StepTime.objects.all()))

    def work(self, loads: str, pixels: int, steps: int, count: int, device: str = "") -> Duration:
        """The time of a job with its model loaded.

        The nearest measurement counts: this model and size on this device, this model on this device, this model on
        any, this device with any model, anything; then a guess. An empty `device` asks for the mean of all.
        """
        asked = (loads, pixels, steps, count, device)
        if asked not in self._work:
            self._work[asked] = self._nearest(*asked)
        return self._work[asked]

    def _nearest(self, loads: str, pixels: int, steps: int, count: int, device: str) -> Duration:
        of_model = [row for row in self.rows if row.loads == loads]
        here = [row for row in of_model if device in ("", row.device)]
        same = [row for row in here if row.pixels == pixels]
        others = [row for row in self.rows if device in ("", row.device)]
        for rows, spread in ((same, 0.0), (here, 0.1), (of_model, 0.3), (others, GUESSED_SPREAD), (self.rows, 1.0)):
            if rows:
                each = _mean(rows, lambda row: (row.step * steps + row.rest) * pixels / row.pixels)
                return Duration(each * count, min(1.0, spread + _mean(rows, lambda row: row.spread)))
        return Duration(GUESSED_STEP * pixels / 1e6 * steps * count, GUESSED_SPREAD)

    def load(self, loads: str, device: str = "") -> float:
        """Seconds until a worker that has something else in memory has this model; 0 for what needs none."""
        if not loads:
            return 0.0
        asked = (loads, device)
        if asked not in self._load:
            loaded = [row for row in self.rows if row.load is not None]
            of_model = [row for row in loaded if row.loads == loads]
            here = [row for row in of_model if row.device == device]
            rows = here or of_model or loaded
            self._load[asked] = _mean(rows, lambda row: row.load) if rows else GUESSED_LOAD
        return self._load[asked]


def _mean(rows: Iterable[StepTime], value) -> float:
    weighed = [(min(row.jobs, FULL_WEIGHT), value(row)) for row in rows]
    return sum(weight * one for weight, one in weighed) / sum(weight for weight, _one in weighed)


def pace(loads: str) -> float:
    """Seconds a unit of Job.cost takes with this model or way, as measured; FIRST_GUESS until then."""
    rows = list(StepTime.objects.filter(loads=loads))
    return _mean(rows, lambda row: row.per_cost) if rows else FIRST_GUESS


def learn(job: Job, *, device: str, part: float = 1.0) -> None:
    """Remembers how long a generation took that is done: one UPDATE. `device` as in the worker's row.

    `part`: what of the time was its own, where others ran together with it.
    """
    spent, asked = job.timings, job.generation
    if job.started is None or job.finished is None:
        return
    load = spent["load"] if spent["load"] > LOADED else None
    total = part * ((job.finished - job.started).total_seconds() - spent["load"])
    denoise = part * spent["denoise"]
    pixels, steps = asked.work
    StepTime.objects.learn(
        loads=asked.paced_by,
        device=device,
        pixels=pixels,
        steps=steps,
        count=asked.count,
        denoise=denoise,
        rest=max(0.0, total - denoise),
        load=load,
        cost=job.cost,
    )
