"""Words for numbers on the studio's pages."""

from datetime import datetime

from django import template
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from generator.board import Line

register = template.Library()


@register.filter
def duration(seconds: float) -> str:
    """Seconds as people say them: "6 s", "4 min", "2 h". At least one second."""
    if seconds < 90:
        return _("%(n)d s") % {"n": max(1, round(seconds))}
    if seconds < 90 * 60:
        return _("%(n)d min") % {"n": round(seconds / 60)}
    return _("%(n)d h") % {"n": round(seconds / 3600)}


@register.filter
def duration_range(span: list[float]) -> str:
    """[least, most] seconds as people say them: "2–4 min", "50 s – 3 min", and one time where both sound alike."""
    least, most = (duration(seconds) for seconds in span)
    if least == most:
        return least
    (low, unit), (high, same) = least.rsplit(" ", 1), most.rsplit(" ", 1)
    return f"{low}–{high} {unit}" if unit == same else f"{least} – {most}"


@register.filter
def exactly(seconds: float) -> str:
    """Seconds with as many digits as tell something: "0.04 s", "6.2 s", "4 min 10 s", "2 h 5 min"."""
    if seconds < 90:
        return _("%(n)s s") % {"n": formats.number_format(f"{seconds:.2f}" if seconds < 1 else f"{seconds:.1f}")}
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 90:
        return _("%(n)d min %(s)d s") % {"n": minutes, "s": rest}
    return _("%(n)d h %(m)d min") % {"n": minutes // 60, "m": minutes % 60}


@register.filter
def until(moment: datetime) -> str:
    """How long it is until a moment to come."""
    return duration((moment - timezone.now()).total_seconds())


@register.filter
def memory(mebibytes: int) -> str:
    """MiB as people say them: "800 MiB", "15.6 GiB"."""
    if mebibytes < 1000:
        return _("%(n)d MiB") % {"n": mebibytes}
    return _("%(n).1f GiB") % {"n": mebibytes / 1024}


@register.simple_tag
def line_url(line: Line, verb: str) -> str:
    """Where a line of the queue is moved, paused, resumed or cancelled: a job, or all that waits of a batch."""
    if line.batch:
        return reverse(f"generator:queue_batch_{verb}", args=[line.batch.pk])
    return reverse(f"generator:queue_{verb}", args=[line.job.pk])
