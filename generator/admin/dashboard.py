"""The first page of the admin: what runs and ran, who draws, what went wrong, what stands still."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage, storages
from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from generator import statistics
from generator.charts import Bars, Lines, Series, seconds
from generator.models import Hold, Job, State, Worker
from generator.services import may_run_queue
from generator.timeline import Step

PHASES = {
    Step.WAITING: gettext_lazy("wait"),
    Step.STARTING: gettext_lazy("get ready"),
    Step.DRAWING: gettext_lazy("draw"),
    Step.DECODING: gettext_lazy("decode"),
    Step.STORING: gettext_lazy("store"),
    Step.FINISHING: gettext_lazy("enter"),
}
SHOWN = 8  # failures, and jobs in quarantine
WORKERS = 20


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What templates/admin/index.html shows, for those who may see jobs; others get the list of what they may see."""
    if not request.user.has_perm("generator.view_job"):
        return context
    name = request.GET.get("range", "7d")
    stretch = statistics.STRETCHES.get(name) or statistics.STRETCHES["7d"]
    overview = statistics.overview(stretch.name)
    return {
        **context,
        "title": _("Dashboard"),
        "stretch": stretch,
        "stretches": statistics.STRETCHES.values(),
        "tiles": _tiles(overview),
        "charts": [chart.draw() for chart in _charts(stretch, overview)],
        "failures": _troubled(Q(state=State.FAILED, quarantined=False)),
        "quarantined": _troubled(Q(quarantined=True)),
        "holds": Hold.objects.select_related("team", "user", "worker", "by"),
        "workers": _workers(),
        "worker_count": Worker.objects.count(),
        "makers": overview["outcomes"]["makers"],
        "storage": overview["storage"],
        "disk": _disk(),
        "may_act": request.user.has_perm("generator.change_job"),
        "may_hold": may_run_queue(request.user),
    }


def _tiles(overview: dict[str, Any]) -> list[dict[str, Any]]:
    line, outcomes, wait = overview["line"], overview["outcomes"], overview["wait"]["all"]
    failed, done = sum(outcomes[State.FAILED]), sum(outcomes[State.DONE])
    alive = Worker.objects.alive().aggregate(n=Count("pk"), paused=Count("pk", filter=Q(is_paused=True)))
    oldest = (overview["now"] - line["oldest"]).total_seconds() if line["oldest"] else None
    return [
        {
            "title": _("Waiting"),
            "value": f"{line[State.QUEUED]:,}",
            "note": _("the oldest for %(time)s") % {"time": seconds(oldest)} if oldest is not None else _("none"),
        },
        {
            "title": _("Running"),
            "value": f"{line[State.RUNNING]:,}",
            "note": _("%(n)d paused") % {"n": line[State.PAUSED]},
        },
        {
            "title": _("Pictures"),
            "value": f"{sum(outcomes['pictures']):,}",
            "note": ngettext("by %(n)s job", "by %(n)s jobs", done) % {"n": f"{done:,}"},
        },
        {
            "title": _("Failed"),
            "value": f"{failed:,}",
            "note": _("%(share)s of what ended") % {"share": f"{100 * failed / max(1, failed + done):.2g} %"},
            "is_bad": failed > 0.05 * (failed + done),
        },
        {
            "title": _("Wait"),
            "value": seconds(wait[50]) if wait[50] is not None else "–",
            "note": _("95 of 100 under %(time)s") % {"time": seconds(wait[95])} if wait[95] is not None else _("none"),
        },
        {
            "title": _("Workers"),
            "value": str(alive["n"]),
            "note": _("%(n)d paused") % {"n": alive["paused"]},
            "is_bad": not alive["n"],
        },
    ]


def _charts(stretch: statistics.Stretch, overview: dict[str, Any]) -> list[Bars | Lines]:
    words = {"24h": "H:i", "7d": "D H:i", "30d": "j M"}[stretch.name]
    places = [_word(start, words) for start in stretch.starts(overview["now"])]
    outcomes = overview["outcomes"]
    states = ((State.DONE, "plain"), (State.CANCELLED, "faint"), (State.FAILED, "bad"))
    made = _("Pictures a day") if stretch.name == "30d" else _("Pictures")
    charts: list[Bars | Lines] = [
        Bars(_("Jobs that ended"), places, [Series(str(s.label), outcomes[s], tone) for s, tone in states]),
        Bars(made, places, [Series(_("Pictures"), outcomes["pictures"], "accent")]),
    ]
    spread = [_("up to %(time)s") % {"time": seconds(bound)} for bound in statistics.BOUNDS]
    spread.append(_("longer"))
    for name, over_time, histogram in (
        ("wait", _("Waited until the start"), _("Waits by length")),
        ("run", _("Took from start to end"), _("Runs by length")),
    ):
        span = overview[name]
        series = [
            Series(_("95 of 100 under"), [slot[95] for slot in span["slots"]], "plain"),
            Series(_("Half of them under"), [slot[50] for slot in span["slots"]], "accent"),
        ]
        charts.append(Lines(over_time, places, series, show=seconds))
        charts.append(Bars(histogram, spread, [Series(_("Jobs"), span["histogram"], "plain")]))
    means = overview["phases"]
    series = Series(_("Mean"), [means[step] for step in statistics.PHASES], "accent")
    charts.append(
        Bars(_("Where the time goes"), [str(PHASES[step]) for step in statistics.PHASES], [series], show=seconds)
    )
    return charts


def _word(start: datetime, words: str) -> str:
    return date_format(localtime(start), words)


def _troubled(which: Q) -> list[Job]:
    # First which ones, then all about them: joined at once, SQLite begins at the wrong end.
    drawn = Job.objects.of_pictures()
    newest = drawn.filter(which, finished__isnull=False).order_by("-finished").values_list("pk", flat=True)
    jobs = Job.objects.filter(pk__in=[*newest[:SHOWN]]).order_by("-finished").defer("log", "history")
    return [*jobs.select_related("owner", "team", "generation__checkpoint")]


def _workers() -> list[Worker]:
    """The living first, each with what it works on."""
    alive = Worker.objects.alive().filter(pk=OuterRef("pk"))
    workers = [*Worker.objects.annotate(is_alive=Exists(alive)).order_by("-is_alive", "name")[:WORKERS]]
    running = Job.objects.filter(state=State.RUNNING, worker__in=[worker.pk for worker in workers])
    busy = dict(running.values_list("worker", "pk"))
    for worker in workers:
        worker.job = busy.get(worker.pk)
    return workers


def _disk() -> dict[str, Any] | None:
    """The disk that pictures are on, where that is one of this machine's."""
    storage = storages["default"]
    if not isinstance(storage, FileSystemStorage):
        return None
    Path(storage.location).mkdir(parents=True, exist_ok=True)
    usage = shutil.disk_usage(storage.location)
    return {"free": usage.free, "total": usage.total, "percent": round(100 * usage.used / usage.total)}
