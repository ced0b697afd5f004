"""Before anything is computed: pictures judged, rights stated, and whatever is wrong refused in clear words."""

from io import BytesIO

import pytest
from django.core.exceptions import PermissionDenied
from PIL import Image

from accounts.services import left_today
from gallery.models import Media
from generator import queue
from generator.models import Checkpoint, Job, StepTime, Training, Worker
from generator.services import LicenceNotAccepted, Refused, trainings
from tests.generator.trainings.conftest import bring, photo

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(studio, tiny_model, bob) -> Training:
    return trainings.draft_training(user=bob, team=studio, checkpoint=tiny_model, name="Our bottle", noun="bottle")


def _plain(shade: str, edge: int = 96) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (edge, edge), shade).save(buffer, "PNG")
    return buffer.getvalue()


def _add(user, training, content: bytes, name: str = "a.png"):
    return trainings.add_file(user=user, training=training, name=name, content=content)


def test_a_picture_is_judged_as_it_comes_and_keeps_nothing_else_of_its_file(draft, bob):
    exif = Image.Exif()
    exif[0x010F] = "A camera that tells"
    buffer = BytesIO()
    Image.open(BytesIO(photo(1, 1200))).save(buffer, "JPEG", exif=exif)
    picture = _add(bob, draft, buffer.getvalue(), "../../etc/front.jpg")
    assert (picture.name, picture.width, picture.height, picture.problems) == ("front.jpg", 1200, 1200, [])
    with picture.file.open("rb") as stored:
        assert b"A camera that tells" not in stored.read()
    assert picture.file.name.startswith("trainings/")
    small = _add(bob, draft, photo(2, 20))
    assert [problem["severity"] for problem in small.problems] == ["stop"]
    assert "20 × 20 pixels is too small" in small.problems[0]["words"]
    black = _add(bob, draft, _plain("black"))
    assert "all black" in black.problems[0]["words"]


@pytest.mark.parametrize(
    "content", [b"", b"no picture", photo(1)[:200], b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"]
)
def test_what_is_no_picture_is_not_taken(draft, bob, content):
    with pytest.raises(Refused, match="no picture that can be read"):
        _add(bob, draft, content)
    assert not draft.pictures.exists()


def _refusal(user, training) -> str:
    with pytest.raises(Refused) as refused:
        trainings.start_training(user=user, training=training)
    assert not Job.objects.exists()
    assert left_today(user) == 500
    return str(refused.value)


def test_bad_sets_are_refused_before_anything_is_computed(draft, bob):
    assert "too few" in _refusal(bob, draft)
    bring(bob, draft, 1)
    assert "1 different picture is too few" in _refusal(bob, draft)
    for _copy in range(4):
        _add(bob, draft, photo(0))
    says = _refusal(bob, draft)
    assert "nearly the same" in says
    assert "4 pictures nobody has said whose they are" in says
    assert trainings.readiness(draft).duplicates


def test_a_set_with_what_cannot_be_used_says_so(draft, bob):
    bring(bob, draft, 4)
    _add(bob, draft, _plain("black"))
    trainings.state_rights(user=bob, training=draft, pictures=None, rights="own", people="nobody")
    assert "1 picture cannot be used: take it out." in _refusal(bob, draft)
    trainings.remove_picture(user=bob, picture=draft.pictures.last())
    assert trainings.start_training(user=bob, training=draft).job


def test_no_more_than_a_handful_is_taken(draft, bob, monkeypatch):
    monkeypatch.setattr(trainings.pictures, "MOST_PICTURES", 2)
    bring(bob, draft, 2)
    with pytest.raises(Refused, match="at most 2 pictures"):
        _add(bob, draft, photo(3))


def test_rights_are_stated_by_somebody_for_each(draft, bob, alice):
    bring(bob, draft, 3, stated=False)
    first, second, third = draft.pictures.all()
    trainings.state_rights(
        user=alice, training=draft, pictures=[first.pk], rights="client", people="consent", note="Order 7"
    )
    first.refresh_from_db()
    assert (first.rights, first.people, first.rights_note, first.stated_by) == ("client", "consent", "Order 7", alice)
    assert first.stated is not None
    assert "2 pictures nobody has said" in _refusal(bob, draft)
    with pytest.raises(Refused, match="Say whose"):
        trainings.state_rights(user=bob, training=draft, pictures=[second.pk], rights="own", people="")
    assert third.stated is None


def test_captions_and_crops_are_the_persons(draft, bob):
    picture = _add(bob, draft, photo(1, 200))
    trainings.change_picture(user=bob, picture=picture, caption="  a bottle \n on wood ", crop=[10, 20, 150, 190])
    picture.refresh_from_db()
    assert (picture.caption, picture.crop) == ("a bottle on wood", [10, 20, 150, 190])
    for crop in ([0, 0, 500, 500], [50, 50, 60, 60], [9, 9, 2, 2]):
        with pytest.raises(Refused, match="crop"):
            trainings.change_picture(user=bob, picture=picture, crop=crop)
    trainings.change_picture(user=bob, picture=picture, crop="none")
    picture.refresh_from_db()
    assert picture.crop is None


def test_pictures_of_the_gallery_are_learned_from_unless_private(draft, bob, carol, make_media, charlie):
    picture = trainings.add_media(user=bob, training=draft, media=make_media(carol, prompt="a bottle on wood"))
    assert (picture.caption, picture.file.name) == ("a bottle on wood", "")
    with pytest.raises(Refused, match="private"):
        trainings.add_media(user=bob, training=draft, media=make_media(bob, visibility=Media.Visibility.PRIVATE))
    with pytest.raises(PermissionDenied):
        trainings.add_media(user=bob, training=draft, media=make_media(carol, visibility=Media.Visibility.PRIVATE))
    with pytest.raises(Refused, match="among them already"):
        trainings.add_media(user=bob, training=draft, media=picture.media)


def test_only_the_maker_and_managers_touch_it(draft, bob, carol, rita, charlie, mona):
    bring(mona, draft, 3)
    picture = draft.pictures.first()
    for stranger in (carol, rita, charlie):
        for act in (
            lambda user: _add(user, draft, photo(9)),
            lambda user: trainings.change_picture(user=user, picture=picture, caption="x"),
            lambda user: trainings.state_rights(
                user=user, training=draft, pictures=None, rights="own", people="nobody"
            ),
            lambda user: trainings.remove_picture(user=user, picture=picture),
            lambda user: trainings.start_training(user=user, training=draft),
            lambda user: trainings.stop_training(user=user, training=draft),
            lambda user: trainings.choose_point(user=user, training=draft, step=1),
            lambda user: trainings.delete_training(user=user, training=draft),
        ):
            with pytest.raises(PermissionDenied):
                act(stranger)
    for stranger in (rita, charlie):
        with pytest.raises(PermissionDenied):
            trainings.new_version(user=stranger, training=draft)


def test_reviewers_and_strangers_draft_nothing(studio, tiny_model, rita, charlie):
    for user in (rita, charlie):
        with pytest.raises(PermissionDenied):
            trainings.draft_training(user=user, team=studio, checkpoint=tiny_model, name="X", noun="bottle")


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"name": "  "}, "Give it a name"),
        ({"noun": ""}, "what kind of thing"),
        ({"word": "two words"}, "cannot be the word"),
        ({"changes": {"steps": 50_000}}, "At most 20000 steps"),
        ({"changes": {"rank": 0}}, "rank must be between"),
        ({"changes": {"targets": ["x"]}}, "cannot be set"),
    ],
)
def test_settings_that_make_no_sense_are_refused(studio, tiny_model, bob, wanted, says):
    with pytest.raises(Refused, match=says):
        trainings.draft_training(
            user=bob, team=studio, checkpoint=tiny_model, **{"name": "Our bottle", "noun": "bottle", **wanted}
        )


def test_a_model_that_cannot_be_taught_or_used_is_refused(studio, tiny_model, bob):
    wanted = {"user": bob, "team": studio, "name": "Our bottle", "noun": "bottle"}
    Checkpoint.objects.filter(pk=tiny_model.pk).update(family="pixart")
    with pytest.raises(Refused, match="cannot be taught"):
        trainings.draft_training(checkpoint=Checkpoint.objects.get(pk=tiny_model.pk), **wanted)
    Checkpoint.objects.filter(pk=tiny_model.pk).update(family="sd3")
    with pytest.raises(Refused, match="takes no embeddings"):
        trainings.draft_training(checkpoint=Checkpoint.objects.get(pk=tiny_model.pk), method="embedding", **wanted)
    Checkpoint.objects.filter(pk=tiny_model.pk).update(family="sd1", must_accept=True)
    with pytest.raises(LicenceNotAccepted):
        trainings.draft_training(checkpoint=Checkpoint.objects.get(pk=tiny_model.pk), **wanted)


def test_what_it_draws_counts_towards_the_day(draft, bob, settings):
    bring(bob, draft)
    cost = trainings.cost_of(draft, trainings.plan(draft, 5))
    assert cost.seconds is None  # nothing was timed here yet
    assert cost.can_run is None
    StepTime.objects.create(loads=draft.checkpoint.slug, pixels=64**2, device="cpu", step=0.1, rest=0.5, per_cost=1.0)
    assert trainings.cost_of(draft, trainings.plan(draft, 5)).seconds > 0
    settings.PICTURES_PER_DAY = cost.pictures - 1
    with pytest.raises(Refused, match=f"It draws {cost.pictures} pictures while it learns"):
        trainings.start_training(user=bob, training=draft)
    settings.PICTURES_PER_DAY = cost.pictures
    trainings.start_training(user=bob, training=draft)
    assert left_today(bob) == 0
    draft.refresh_from_db()
    trainings.stop_training(user=bob, training=draft)
    assert left_today(bob) == cost.pictures


def test_a_worker_that_cannot_is_said_before(draft, bob, tiny_model):
    bring(bob, draft)
    Worker.objects.create(name="small", kinds=["train"], families=["sd1"], memory=1000)
    Checkpoint.objects.filter(pk=tiny_model.pk).update(memory=900)
    draft.refresh_from_db()
    assert "No worker has what this needs" in _refusal(bob, draft)
    Worker.objects.update(memory=64_000)
    job = trainings.start_training(user=bob, training=draft).job
    assert job.memory > 900
    assert queue.claim(worker="small").pk == job.pk


def test_once_started_it_is_fixed_and_goes_on_as_another_version(draft, bob):
    bring(bob, draft)
    trainings.start_training(user=bob, training=draft)
    draft.refresh_from_db()
    with pytest.raises(Refused, match="Make a new version"):
        _add(bob, draft, photo(9))
    with pytest.raises(Refused, match="under way already"):
        trainings.start_training(user=bob, training=draft)
    with pytest.raises(Refused, match="Stop the training first"):
        trainings.remove_picture(user=bob, picture=draft.pictures.first())
    with pytest.raises(Refused, match="Stop it first"):
        trainings.delete_training(user=bob, training=draft)
    second = trainings.new_version(user=bob, training=draft)
    third = trainings.new_version(user=bob, training=draft)
    assert [draft.version, second.version, third.version] == [1, 2, 3]
    assert (second.is_draft, second.pictures.count(), second.previous) == (True, 5, draft)
    copy, first = second.pictures.first(), draft.pictures.first()
    assert (copy.stated_by, copy.stated, copy.rights) == (bob, first.stated, "own")
    assert copy.file.name != first.file.name
