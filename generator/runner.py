"""The one door from a job's row to the engine. Imports torch: only a worker may import this, inside a task's body."""

import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import cast

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import services as gallery
from generator import importing, queue, services, tail, teaching, trail
from generator.company import Kind, room
from generator.diffusion import pipelines
from generator.diffusion.sampling import generate
from generator.diffusion.spec import (
    SCHEDULERS,
    AdapterError,
    Apart,
    Cancelled,
    CheckpointError,
    ImageSpec,
    Result,
    SpecError,
    Step,
)
from generator.diffusion.starter.assemble import assemble, fingerprint
from generator.diffusion.together import generate_together
from generator.diffusion.ways.geometry import Spec
from generator.models import Checkpoint, Generation, Job, State
from generator.models.checkpoint import STARTER
from generator.progress import LeaseLost, Overdue, Paused, Progress, Yielded
from generator.troubles import DATABASE_GONE, diagnose

log = logging.getLogger(__name__)
WORDS = ("checkpoint", "style")  # what a request from words alone goes with; the only ones that run with others
RELATED = (*WORDS, "source", "structure", "reference")
_slugs: dict[str, str] = {}  # what the engine was asked to load -> the checkpoint's short name


def source_of(checkpoint: Checkpoint) -> str:
    """What the engine loads; the starter is put together at its first use, and its hash written down."""
    source = checkpoint.source if checkpoint.source != STARTER else _starter(checkpoint)
    _slugs[source] = checkpoint.slug
    pipelines.wish(source, checkpoint.memory_plan)
    return source


def _starter(checkpoint: Checkpoint) -> str:
    if checkpoint.weights_hash != fingerprint():
        checkpoint.weights_hash = fingerprint()
        Checkpoint.objects.filter(pk=checkpoint.pk).update(weights_hash=checkpoint.weights_hash)
    return str(assemble(settings.MODELS_ROOT / STARTER))


def warm(checkpoint: Checkpoint) -> None:
    """Loads a checkpoint, so that the next job finds it ready."""
    pipelines.load(source_of(checkpoint))


def loaded() -> list[str]:
    """What stands warm: Job.loads of each, the latest first."""
    return [_slugs[source] for source in reversed(pipelines.warm()) if source in _slugs]


def plans() -> dict[str, str]:
    """Job.loads of what stands warm, each with its memory plan in words."""
    return {_slugs[source]: plan for source, plan in pipelines.plans().items() if source in _slugs}


def gather(job: Job, *, worker: str) -> list[Job]:
    """`job`, just claimed, and those that this worker is to make together with it."""
    if not job.alike:
        return [job]
    return queue.gather(job, worker=worker, pictures=room.pictures(_kind(_asked_of(job))))


def run(progress: Progress) -> bool:
    """Makes what a claimed job asks for and takes it to its end: DONE, FAILED, CANCELLED, paused or back in line.

    False: this process is of no use any more, and has to be replaced by another.
    """
    if progress.job.kind == Job.Kind.IMPORT:
        return importing.run(progress)
    if progress.job.kind == Job.Kind.TRAIN:
        return _to_its_end(progress, partial(teaching.teach, progress, source_of))
    return _to_its_end(progress, partial(_make, progress))


def run_together(several: Sequence[Progress]) -> bool:
    """Makes jobs that `gather` found in one call, each with its own end. As `run`."""
    if len(several) == 1:
        return run(several[0])
    ready: list[Asked] = []
    is_sound = True
    for one in several:
        is_sound &= _to_its_end(one, partial(_read_into, ready, one))
    for asked in ready:
        if asked.progress.allowed is not None:
            asked.progress.allowed *= len(several)
    try:
        specs = [cast(ImageSpec, asked.spec) for asked in ready]
        outcomes = generate_together(specs, [partial(_step, asked.progress) for asked in ready]) if ready else []
    except Exception as error:
        return _apart(ready, error) and is_sound
    pictures = sum(asked.generation.count for asked in ready)
    if whole := next((one for one in outcomes if isinstance(one, Result)), None):
        _measure(ready[0].generation, whole, pictures)
    for asked, outcome in zip(ready, outcomes, strict=True):
        if isinstance(outcome, Result):  # the others have come to their end already
            part = asked.generation.count / pictures
            is_sound &= _to_its_end(asked.progress, partial(_finish, asked, outcome, part))
    return is_sound


@dataclass(frozen=True)
class Asked:
    """A claimed job, read."""

    progress: Progress
    generation: Generation
    spec: Spec


def _read(progress: Progress) -> Asked:
    generation = _asked_of(progress.job)
    progress.allowed = _allowed(generation.paced_by, progress.job.cost)
    progress.check()
    pictures = services.load_pictures(generation)
    spec = services.spec_of(generation, pictures, checkpoint=source_of(generation.checkpoint))
    return Asked(progress, generation, services.with_adapters(generation, spec))


def _asked_of(job: Job) -> Generation:
    """What a claimed job asks for, with the rows that it goes with: read once."""
    if not Job.generation.is_cached(job):
        related = WORDS if job.alike else RELATED
        job.generation = Generation.objects.select_related(*related).get(pk=job.pk)
    return job.generation


def _read_into(ready: list[Asked], progress: Progress) -> None:
    ready.append(_read(progress))


def _make(progress: Progress) -> None:
    asked = _read(progress)
    result = generate(asked.spec, progress.on_step)
    if progress.job.alike:
        _measure(asked.generation, result, asked.generation.count)
    _finish(asked, result)


def _step(progress: Progress, step: Step) -> None:
    """Ends a job that is to stop while others go on: at once, not with them."""
    try:
        progress.on_step(step)
    except Exception as reason:
        _to_its_end(progress, partial(_raise, reason))
        raise


def _raise(reason: Exception) -> None:
    raise reason


def _finish(asked: Asked, result: Result, part: float = 1.0) -> None:
    """`part`: of the time of the call, where it made others too."""
    decoded = timezone.now()
    asked.progress.check()
    _keep(asked.progress, asked.generation, result, decoded)
    _learn(asked.progress.job, part)


def _apart(ready: Sequence[Asked], error: Exception) -> bool:
    """Puts jobs back that could not be made together: each is tried alone, and only that counts as an attempt."""
    trouble = diagnose(error, tries=1)
    log.warning("%d jobs could not be made together", len(ready), exc_info=error)
    if isinstance(error, Apart) and error.is_too_large:
        room.does_not_fit(_kind(ready[0].generation), sum(asked.generation.count for asked in ready))
    if trouble.wants_room:
        pipelines.unload()
    for asked in ready:
        reason = _("It could not be made together with others, and is tried alone.")
        asked.progress.end(State.QUEUED, reason=reason, company=queue.ALONE, served=0.0)
    return not trouble.ends_worker


def _measure(generation: Generation, result: Result, pictures: int) -> None:
    spent = result.timings
    seconds = spent.encode_s + spent.denoise_s + spent.decode_s
    room.note(_kind(generation), pictures, seconds / generation.steps)


def _kind(generation: Generation) -> Kind:
    return generation.loads, generation.width * generation.height


def _to_its_end(progress: Progress, work: Callable[[], None]) -> bool:
    """Does it, and ends the job as it turns out where `work` itself does not. As `run`."""
    with trail.following(request=progress.job.request, job=progress.job.pk):
        return _ended(progress, work)


def _ended(progress: Progress, work: Callable[[], None]) -> bool:
    try:
        work()
    except LeaseLost:
        log.warning("job %s is no longer this worker's; its result is dropped", progress.job.pk)
    except Cancelled:
        _end_unpaid(progress, State.CANCELLED)
    except Paused:
        progress.end(State.PAUSED)
    except Yielded:
        progress.end(State.QUEUED)
    except Overdue:
        log.error("job %s took more than %d s", progress.job.pk, progress.allowed)
        _end_unpaid(progress, State.FAILED, reason=_too_long(progress), **_evidence())
    except SpecError as error:
        _end_unpaid(progress, State.FAILED, reason=str(error), **_evidence())
    except AdapterError as error:
        reason = _cannot_wear(progress.job.generation, error.path)
        _end_unpaid(progress, State.FAILED, reason=reason, **_evidence())
    except CheckpointError:  # its words name a path on the worker: they stand in the trace, for administrators
        reason = _cannot_load(_model_of(progress.job))
        _end_unpaid(progress, State.FAILED, reason=reason, **_evidence())
    except Exception as error:
        log.exception("job %s stopped", progress.job.pk)
        return _try_again(progress, error)
    return True


def _allowed(paced_by: str, cost: float) -> float | None:
    """Seconds for a whole run: many times what its like took, which leaves room for a slower worker."""
    pace = queue.pace(paced_by)
    if pace == queue.FIRST_GUESS:  # nobody knows yet
        return None
    return max(settings.JOB_DEADLINE_FLOOR_SECONDS, settings.JOB_DEADLINE_FACTOR * pace * cost)


def _model_of(job: Job) -> Checkpoint:
    return job.training.checkpoint if job.kind == Job.Kind.TRAIN else job.generation.checkpoint


def _cannot_load(checkpoint: Checkpoint) -> str:
    return _(
        "The model “%(name)s” cannot be loaded. An administrator sees why in the job's entry; choose another one."
    ) % {"name": checkpoint.name}


def _cannot_wear(generation: Generation, path: str) -> str:
    called = {entry["slug"]: entry["name"] for entry in generation.adapters}
    names = {source: called[slug] for slug, source in services.sources_of(generation).items()}
    return _(
        "“%(adapter)s” cannot be used with the model “%(model)s”. An administrator sees why in the job's entry; leave "
        "it out, or choose another model."
    ) % {"adapter": names.get(path, path.rsplit("/", 1)[-1]), "model": generation.checkpoint.name}


def _too_long(progress: Progress) -> str:
    minutes = round((progress.allowed or 0) / 60)
    return _("It was stopped after %(minutes)d minutes: many times as long as its like takes.") % {"minutes": minutes}


def _try_again(progress: Progress, error: Exception) -> bool:
    """Back in line after a pause for what may pass by itself, FAILED for the rest. As for `run`: False for a broken
    process."""
    trouble = diagnose(error, tries=len(settings.JOB_RETRY_SECONDS) + 1)
    if trouble.wants_room:
        pipelines.unload()
    tried = progress.job.retries + 1
    if tried >= trouble.tries:
        times = _("It was tried %(n)d times.") % {"n": tried} if tried > 1 else ""
        reason = " ".join(part for part in (trouble.says, times, trouble.advice) if part)
        _end_unpaid(progress, State.FAILED, reason=reason, retries=tried, **_evidence())
        return not trouble.ends_worker
    pause = settings.JOB_RETRY_SECONDS[tried - 1]
    again = _("It will be tried again (attempt %(next)d of %(tries)d).")
    reason = f"{trouble.says} {again % {'next': tried + 1, 'tries': trouble.tries}}"
    not_before = timezone.now() + timedelta(seconds=pause)
    progress.end(State.QUEUED, reason=reason, retries=tried, not_before=not_before, **_evidence())
    return not trouble.ends_worker


def _evidence() -> dict[str, str]:
    """For administrators: what was raised, and what was logged before it."""
    return {"trace": traceback.format_exc(), "log": tail.text()}


def _end_unpaid(progress: Progress, state: State, **fields: object) -> None:
    progress.end(state, then=lambda: services.refund(progress.job), **fields)


def _keep(progress: Progress, generation: Generation, result: Result, decoded: datetime) -> None:
    """Files first, then rows and DONE in one transaction that a lost lease undoes."""
    films = progress.films or [[] for _image in result.images]
    items = [
        gallery.NewMedia(
            image=image,
            frames=film,
            recipe=_recipe(generation, result, index),
            job=progress.job.pk,
            index=index,
            team=progress.job.team,
            owner=progress.job.owner,
            visibility=progress.job.visibility,
            title=generation.title,
            made_from=generation.made_from,
        )
        for index, (image, film) in enumerate(zip(result.images, films, strict=True))
    ]
    drafts = gallery.draft_media(items=items)
    facts = {"decoded": decoded, "stored": timezone.now(), "timings": _timings(result, progress)}
    progress.flush()
    is_first = True

    def write() -> None:
        nonlocal is_first
        if not is_first and gallery.are_kept(drafts=drafts):
            progress.job.refresh_from_db()
            return
        job = progress.job if is_first else progress.holding()
        is_first = False
        gallery.keep_drafts(drafts=drafts, then=lambda: _done(job, progress, facts))

    try:
        progress.write(write)
    except DATABASE_GONE:  # the rows may be there or not: should they not, find_orphans takes the files
        raise
    except BaseException:
        gallery.drop_drafts(drafts=drafts)
        raise
    progress.announce()


def _done(job: Job, progress: Progress, facts: dict[str, object]) -> None:
    if not job.move(State.DONE, was_lease=progress.lease, first_step=progress.first_step, **facts):
        raise LeaseLost(str(job.pk))


def _learn(job: Job, part: float) -> None:
    """How long it took, or its part of a call for several, is remembered for those who ask next. The pictures are safe
    already, whatever happens here."""
    device = pipelines.describe_device(*pipelines.choose_device())
    try:
        queue.learn(job, device=device, part=part)
    except Exception:
        log.warning("how long job %s took could not be remembered", job.pk, exc_info=True)


def _timings(result: Result, progress: Progress) -> dict[str, float]:
    spent = {key.removesuffix("_s"): value for key, value in asdict(result.timings).items()}
    return {key: round(value, 4) for key, value in {**spent, "report": progress.report_s}.items()}


def _recipe(generation: Generation, result: Result, index: int) -> dict[str, object]:
    """All that made one picture, as plain JSON: enough to make it again."""
    if not generation.draws:
        return _handed_on(generation, result, index)
    checkpoint = generation.checkpoint
    return {
        "way": generation.way,
        **services.recipe_of(generation, index),
        "prompt": generation.prompt,
        "negative_prompt": generation.negative_prompt,
        "style": generation.style.name if generation.style else "",
        "style_slug": generation.style.slug if generation.style else "",
        **{f"style_{name}": value for name, value in generation.style_words.items()},
        "format": generation.format,
        "width": result.images[index].width,
        "height": result.images[index].height,
        "steps": generation.steps,
        "guidance": generation.guidance,
        "seed": result.seeds[index],
        "scheduler": result.scheduler,
        "scheduler_label": SCHEDULERS.get(result.scheduler, result.scheduler),
        "checkpoint": checkpoint.name,
        "checkpoint_slug": checkpoint.slug,
        "checkpoint_hash": checkpoint.weights_hash,
        "licence": checkpoint.licence_name,
        "licence_url": checkpoint.licence_url,
        "commercial_use": checkpoint.commercial_use,
        "attribution": checkpoint.attribution,
        "adapters": generation.adapters,
        "device": result.device,
        "dtype": result.dtype,
        "memory_plan": result.plan,
        "batch": {"count": generation.count, "index": index},
    }


def _handed_on(generation: Generation, result: Result, index: int) -> dict[str, object]:
    """Of a picture that nothing drew anew: what made the one that it came from, licence included, and what was done."""
    return {
        **(generation.source.recipe if generation.source else {}),
        "way": generation.way,
        **services.recipe_of(generation, index),
        "width": result.images[index].width,
        "height": result.images[index].height,
        "device": result.device,
        "dtype": result.dtype,
        "batch": {"count": generation.count, "index": index},
    }
