"""The one door from a job's row to the engine. Imports torch: only a worker may import this, inside a task's body."""

import logging
import traceback
from dataclasses import asdict

from django.conf import settings
from django.utils.translation import gettext as _

from gallery import services as gallery
from generator import services
from generator.diffusion import pipelines
from generator.diffusion.sampling import generate
from generator.diffusion.spec import SCHEDULERS, Cancelled, CheckpointError, Result, SpecError
from generator.diffusion.starter.assemble import assemble, fingerprint
from generator.models import Checkpoint, Generation, State
from generator.models.checkpoint import STARTER
from generator.progress import LeaseLost, Progress, Yielded

log = logging.getLogger(__name__)


def source_of(checkpoint: Checkpoint) -> str:
    """What the engine loads; the starter is put together at its first use, and its hash written down."""
    if checkpoint.source != STARTER:
        return checkpoint.source
    if checkpoint.weights_hash != fingerprint():
        checkpoint.weights_hash = fingerprint()
        Checkpoint.objects.filter(pk=checkpoint.pk).update(weights_hash=checkpoint.weights_hash)
    return str(assemble(settings.MODELS_ROOT / STARTER))


def warm(checkpoint: Checkpoint) -> None:
    """Loads a checkpoint, so that the next job finds it ready."""
    pipelines.load(source_of(checkpoint))


def run(progress: Progress) -> None:
    """Makes what a claimed job asks for and takes it to its end: DONE, FAILED, CANCELLED, or back in line."""
    try:
        generation = Generation.objects.select_related("checkpoint", "style", "job").get(pk=progress.job.pk)
        progress.check()
        spec = services.spec_of(generation, checkpoint=source_of(generation.checkpoint))
        result = generate(spec, progress.on_step)
        progress.check()
        _keep(progress, generation, result)
    except LeaseLost:
        log.warning("job %s is no longer this worker's; its result is dropped", progress.job.pk)
    except Cancelled:
        _end_unpaid(progress, State.CANCELLED)
    except Yielded:
        progress.end(State.QUEUED)
    except (SpecError, CheckpointError) as error:
        _end_unpaid(progress, State.FAILED, reason=str(error), trace=traceback.format_exc())
    except Exception as error:
        log.exception("job %s failed", progress.job.pk)
        _end_unpaid(progress, State.FAILED, reason=_in_plain_words(error), trace=traceback.format_exc())


def _end_unpaid(progress: Progress, state: State, **fields: str) -> None:
    if progress.end(state, **fields):
        services.refund(progress.job)


def _in_plain_words(error: Exception) -> str:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return _("The worker ran out of memory. Ask for fewer or smaller pictures.")
    if isinstance(error, OSError):
        return _(
            "The worker could not read or write a file (%(error)s). An administrator can see more in the job's entry."
        ) % {"error": error.strerror or error}
    return _("Something went wrong while this was made. An administrator can see the details in the job's entry.")


def _keep(progress: Progress, generation: Generation, result: Result) -> None:
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
        )
        for index, (image, film) in enumerate(zip(result.images, films, strict=True))
    ]

    def done() -> None:
        spent = {key.removesuffix("_s"): value for key, value in asdict(result.timings).items()}
        spent["report"] = progress.report_s
        timings = {key: round(value, 4) for key, value in spent.items()}
        if not progress.job.move(State.DONE, was_lease=progress.lease, first_step=progress.first_step, timings=timings):
            raise LeaseLost(str(progress.job.pk))

    progress.flush()
    gallery.add_media(items=items, then=done)
    progress.announce()


def _recipe(generation: Generation, result: Result, index: int) -> dict[str, object]:
    """All that made one picture, as plain JSON: enough to make it again."""
    checkpoint = generation.checkpoint
    return {
        "prompt": generation.prompt,
        "negative_prompt": generation.negative_prompt,
        "style": generation.style.name if generation.style else "",
        "style_slug": generation.style.slug if generation.style else "",
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
        "device": result.device,
        "dtype": result.dtype,
        "batch": {"count": generation.count, "index": index},
    }
