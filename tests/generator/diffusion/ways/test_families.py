"""Every family in every way, from the request to the picture: by the Celery task, the worker and the real engine."""

import io

import pytest
from PIL import Image, ImageDraw

from gallery.models import Media
from gallery.services import NewMedia, add_media
from generator import services, tasks, worker
from generator.diffusion import pipelines
from generator.diffusion.sampling import generate
from generator.diffusion.spec import SpecError
from generator.diffusion.ways import control
from generator.diffusion.ways.spec import Margins, Reference, Structure
from generator.models import Adapter, Checkpoint, Job, State
from generator.services.scenes import Placement
from tests.generator.diffusion.original import narrow_flux, save_original
from tests.generator.diffusion.tiny_guides import controlnet, ip_adapter
from tests.generator.diffusion.ways import table

STEPS = 2
MADE = {"outpaint": (72, 64), "hires": (128, 128)}  # the others are 64 pixels a side
LACKED = [(family, way) for family in table.LACKS for way in sorted(table.LACKS[family])]


@pytest.fixture
def pictures(alice, studio) -> dict[str, Media]:
    """One made of words and one that stands free, 64 pixels a side."""
    thing = Image.new("RGBA", (64, 64))
    ImageDraw.Draw(thing).ellipse((16, 16, 47, 47), fill="#c22")
    recipe = {"prompt": "a red apple", "seed": 7, "steps": STEPS, "guidance": 3.0, "scheduler": "default"}
    items = [
        NewMedia(image=image, recipe={"way": way, "format": "square", **recipe}, team=studio, owner=alice, frames=[])
        for way, image in (("text", thing.convert("RGB")), ("cutout", thing))
    ]
    return dict(zip(("plain", "free"), add_media(items=items), strict=True))


@pytest.fixture
def ask(alice, studio, pictures):
    """`ask(checkpoint, way)`: puts a request in line, as a person would."""
    mask = Image.new("L", (64, 64))
    mask.paste(255, (16, 16, 40, 40))
    painted = io.BytesIO()
    mask.save(painted, "PNG")
    plain = {"source": pictures["plain"]}
    settings = {
        "text": {},
        "image": {**plain, "way": "image", "strength": 1.0},
        "inpaint": {**plain, "way": "inpaint", "mask": painted.getvalue(), "strength": 1.0},
        "scene": {"source": pictures["free"], "way": "inpaint", "placement": Placement(), "strength": 1.0},
        "outpaint": {**plain, "way": "outpaint", "extend": Margins(left=8), "strength": 1.0},
        "near": {**plain, "way": "vary", "variation_amount": 0.2},
        "far": {**plain, "way": "vary", "strength": 1.0},
        "hires": {**plain, "way": "hires", "factor": 2, "strength": 0.5},
        "structure": {"way": "reference", "structure": pictures["plain"], "structure_kind": "edges"},
        "reference": {"way": "reference", "reference": pictures["plain"]},
    }

    def ask(checkpoint: Checkpoint, way: str) -> Job:
        wanted = {"prompt": "a red apple", "count": 1, "steps": STEPS, "guidance": 3.0, "seed": 7}
        return services.create_generation(
            user=alice, team=studio, checkpoint=checkpoint, **wanted | settings[way], title=way
        )

    return ask


@pytest.fixture
def work(settings):
    """Runs all that waits, by the task that a wake-up brings."""
    settings.WORKER_POLL_SECONDS = 60
    own = worker.Worker("of every family")

    def work() -> None:
        own.start()  # not earlier: what a worker can draw it tells when it starts, by the models there are
        tasks.work.apply(throw=True)

    yield work
    own.stop()
    pipelines.unload()


def entered(family: str, source, folder) -> Checkpoint:
    """A model as the catalogue has it, with all that leads it."""
    facts = {"family": family, "licence_name": "MIT", "commercial_use": "yes"}
    pipeline = pipelines.load(str(source))
    if type(pipeline).__name__ in control.LED:
        net = controlnet(pipeline, folder / "net")
        Adapter.objects.create(slug="net", name="Net", kind="controlnet", structure="edges", source=net, **facts)
    if hasattr(pipeline, "load_ip_adapter") and hasattr(pipeline, "unet"):
        file = ip_adapter(pipeline, folder / "ip")
        Adapter.objects.create(slug="ip", name="IP", kind="ip-adapter", source=file, **facts)
    return Checkpoint.objects.create(slug=family, name=family, source=str(source), native_size=64, **facts)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("family", table.FAMILIES)
def test_a_folder_makes_pictures_in_every_way_of_the_table(family, tiny_folder, tmp_path, ask, work):
    checkpoint = entered(family, tiny_folder(family), tmp_path)
    jobs = {way: ask(checkpoint, way) for way in table.ways_of(family)}
    work()
    check(jobs)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("family", table.FROM_FILE)
def test_so_does_a_single_file(family, tiny_folder, tmp_path, ask, work, monkeypatch):
    narrow_flux(monkeypatch)
    file = tmp_path / "apple.safetensors"
    save_original(family, tiny_folder(family), file)
    checkpoint = entered(family, file, tmp_path)
    jobs = {way: ask(checkpoint, way) for way in table.ways_of_file(family)}
    work()
    check(jobs)


@pytest.mark.parametrize(("family", "way"), LACKED)
def test_what_a_family_lacks_ends_in_a_sentence(family, way, tiny_folder, spec_for):
    image = Image.new("RGB", (64, 64))
    parts = {
        "structure": Structure(image=image, kind="edges", model="none"),
        "reference": Reference(image=image, model="none"),
    }
    with pytest.raises(SpecError, match="Choose another one"):
        generate(spec_for(tiny_folder(family), **{way: parts[way]}))


def test_the_table_of_the_docs_is_this_one():
    command = "python -m tests.generator.diffusion.ways.table"
    assert table.DOCS.read_text() == table.written(), f"write it anew: {command}"


def check(jobs: dict[str, Job]) -> None:
    rows = {job.pk: job for job in Job.objects.filter(pk__in=[job.pk for job in jobs.values()])}
    told = {way: (rows[job.pk].state, rows[job.pk].reason, rows[job.pk].trace[-300:]) for way, job in jobs.items()}
    assert {way: one for way, one in told.items() if one[0] != State.DONE} == {}
    for way, job in jobs.items():
        made = Media.objects.get(job=job.pk)
        with Image.open(made.file) as image:
            assert image.size == MADE.get(way, (64, 64)), way
