"""How long things take here, as measured: one small row for each model, size and device."""

from django.db import connection, models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generator.models.plain import greatest, say

MEMORY = 0.1  # the least weight of a new measurement, so that the last twenty or so count
LEARN = """
UPDATE generator_steptime SET
    step = step + (%(step)s - step) * {greatest}({memory}, 1.0 / (jobs + 1)),
    rest = rest + (%(rest)s - rest) * {greatest}({memory}, 1.0 / (jobs + 1)),
    per_cost = per_cost + (%(per_cost)s - per_cost) * {greatest}({memory}, 1.0 / (jobs + 1)),
    spread = spread + (ABS(%(took)s / {greatest}(step * %(steps)s + rest * %(count)s, 0.000001) - 1.0) - spread)
        * {greatest}({memory}, 1.0 / (jobs + 1)),{load}
    jobs = jobs + 1, measured = %(now)s
WHERE loads = %(loads)s AND device = %(device)s AND pixels = %(pixels)s"""
LOAD = "load = COALESCE(load + (%(load)s - load) * 0.5, %(load)s),"


class StepTimeQuerySet(models.QuerySet["StepTime"]):
    """Learning from jobs that are done."""

    def learn(
        self,
        *,
        loads: str,
        device: str,
        pixels: int,
        steps: int,
        count: int,
        denoise: float,
        rest: float,
        load: float | None,
        cost: float,
    ) -> None:
        """One job of `count` pictures took so many seconds to denoise, for the rest, and to load its model if it did.

        One UPDATE, in which the database itself forms the running means: workers that end together lose nothing.
        """
        step, rest_each = denoise / (steps * count), rest / count
        paid = (denoise + rest) / cost if cost > 0 else 1.0
        first = {"step": step, "rest": rest_each, "per_cost": paid, "load": load}
        values = {"loads": loads, "device": device, "pixels": pixels, **first, "took": denoise + rest}
        values |= {"steps": float(steps * count), "count": float(count)}
        values["now"] = connection.ops.adapt_datetimefield_value(timezone.now())
        if not say([LEARN.format(greatest=greatest(), memory=MEMORY, load="" if load is None else LOAD)], values):
            self.get_or_create(loads=loads, device=device, pixels=pixels, defaults=first)


class StepTime(models.Model):
    """Running means over the jobs of one model and size that workers with one kind of device have done."""

    loads = models.CharField(_("model"), max_length=120)  # as Job.loads
    device = models.CharField(_("device"), max_length=120)  # as Worker.device
    pixels = models.PositiveIntegerField(_("pixels"))  # of one picture
    step = models.FloatField(_("seconds a step"))  # of one picture
    rest = models.FloatField(_("seconds beside the steps"))  # of one picture: encoding, decoding, storing
    load = models.FloatField(_("seconds to load the model"), null=True)
    spread = models.FloatField(_("spread"), default=0.2)  # mean of |measured / expected - 1|
    per_cost = models.FloatField(_("seconds a unit of cost"))  # of Job.cost, which was set before this was known
    jobs = models.PositiveIntegerField(_("jobs"), default=1)
    measured = models.DateTimeField(_("last measured"), default=timezone.now)
    objects = StepTimeQuerySet.as_manager()

    class Meta:
        verbose_name = _("step time")
        verbose_name_plural = _("step times")
        ordering = ["loads", "device", "pixels"]
        constraints = [models.UniqueConstraint(fields=["loads", "device", "pixels"], name="one_step_time_each")]

    def __str__(self) -> str:
        return f"{self.loads} · {self.pixels} · {self.device}"
