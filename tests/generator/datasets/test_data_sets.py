"""A batch as a data set: what lies in the zip, what is left out and why, who may have it."""

import shutil
from hashlib import sha256

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from PIL import Image

from gallery import services as gallery
from gallery.models import Export, Media
from generator.diffusion.train import data
from generator.models import Generation, State, TrainingPicture
from generator.services import Refused, datasets, trainings
from tests.generator.datasets.conftest import COPY, shown, unpacked
from tests.generator.trainings.conftest import photo

ROWS = [("a bottle, red", "Red", [41, COPY]), ("a bottle, blue", "Blue", [42]), ("a red bottle", "red", [43])]


def test_a_folder_a_class_with_the_prompt_seed_and_nearest_of_each(bob, finished, adapter):
    batch = finished(bob, ROWS, worn=adapter)
    archive, rows, told = unpacked(datasets.export_data_set(user=bob, batch=batch))
    assert [row["file_name"] for row in rows] == ["Red/00001.png", "Blue/00001.png", "red-2/00001.png"]
    assert [(row["text"], row["label"], row["seed"]) for row in rows] == [
        ("a bottle, red", "Red", 10),
        ("a bottle, blue", "Blue", 20),
        ("a red bottle", "red", 30),
    ]
    assert {(row["model"], row["adapters"][0]["name"]) for row in rows} == {("Starter", "Our bottle")}
    assert all(row["nearest_bits"] >= datasets.USUAL for row in rows)
    assert all(row["nearest_picture"].startswith("view ") for row in rows)
    for entry in told["files"]:
        assert sha256(archive.read(entry["file"])).hexdigest() == entry["sha256"]
    assert told["metadata_sha256"] == sha256(archive.read("metadata.jsonl")).hexdigest()
    assert told["counts"] == {
        "made": 4,
        "kept": 3,
        "left_out": {"near": 1, "draft": 0, "gone": 0},
        "by_class": {"Red": 1, "Blue": 1, "red": 1},
    }


def test_a_copy_of_a_training_picture_stays_out_and_is_named(bob, finished, adapter):
    export = datasets.export_data_set(user=bob, batch=finished(bob, ROWS, worn=adapter))
    archive, _rows, told = unpacked(export)
    [left] = told["left_out"]
    assert (left["why"], left["seed"], left["nearest_picture"]) == ("near", 11, f"view {COPY}.png")
    assert left["nearest_bits"] <= 31
    assert left["nearest_learned_by"] == "Our bottle"
    assert any(note.startswith("1 picture was left out") for note in export.notes)
    assert "1 that\ndiffer" in archive.read("README.md").decode()


def test_a_wider_bound_leaves_out_what_is_only_alike(bob, finished, adapter):
    alike = Image.blend(shown(COPY), shown(41), 0.4)
    batch = finished(bob, [("a bottle", "", [41, alike])], worn=adapter)
    _archive, rows, _told = unpacked(datasets.export_data_set(user=bob, batch=batch))
    far, near = (row["nearest_bits"] for row in rows)
    assert datasets.USUAL <= near < datasets.MOST < far
    _archive, rows, told = unpacked(datasets.export_data_set(user=bob, batch=batch, bound=near))
    assert (len(rows), told["nearest"]["bound"]) == (2, near)
    _archive, rows, told = unpacked(datasets.export_data_set(user=bob, batch=batch, bound=near + 1))
    assert [row["nearest_bits"] for row in rows] == [far]
    assert told["left_out"][0]["nearest_bits"] == near


@pytest.mark.parametrize("bound", [0, 31, 97, 256])
def test_no_bound_lets_copies_out_or_keeps_everything_in(bob, finished, bound):
    with pytest.raises(Refused, match="32"):
        datasets.export_data_set(user=bob, batch=finished(bob, ROWS), bound=bound)
    assert not Export.objects.exists()


def test_what_a_model_learned_from_is_said_to_be_unknown_where_it_is(bob, finished, adapter):
    batch = finished(bob, ROWS, worn=adapter)
    export = datasets.export_data_set(user=bob, batch=batch)
    archive, _rows, told = unpacked(export)
    models = {one["name"]: one for one in told["models"]}
    assert models["Starter"]["training_pictures"] == {"known": False}
    assert models["Our bottle"]["training_pictures"] == {"known": True, "count": 3, "gone": 0}
    assert (models["Our bottle"]["version"], models["Our bottle"]["licence_name"]) == (2, "MIT")
    assert any("“Starter”" in note for note in export.notes)
    assert "is not known here" in archive.read("README.md").decode()


def test_an_adapter_that_was_deleted_since_is_named_and_not_known(bob, finished, adapter):
    batch = finished(bob, ROWS, worn=adapter)
    adapter.delete()
    _archive, rows, told = unpacked(datasets.export_data_set(user=bob, batch=batch))
    assert [(one["name"], one["training_pictures"]["known"]) for one in told["models"]] == [
        ("Starter", False),
        ("Our bottle", False),
    ]
    assert len(rows) == 4


def test_a_point_that_was_worn_without_being_taken_is_known_by_its_training(bob, finished, taught, adapter):
    batch = finished(bob, ROWS, worn=adapter)
    entry = {"slug": "point", "name": "Our bottle", "kind": "lora", "weight": 0.8, "hash": "abc", "word": ""}
    Generation.objects.update(adapters=[entry | {"training": str(taught.pk), "point": 100}])
    _archive, _rows, told = unpacked(datasets.export_data_set(user=bob, batch=batch))
    assert [one["training_pictures"] for one in told["models"]][1] == {"known": True, "count": 3, "gone": 0}
    assert told["counts"]["left_out"]["near"] == 1


def test_without_anything_to_compare_with_all_pictures_go_and_have_no_distance(bob, finished):
    _archive, rows, told = unpacked(datasets.export_data_set(user=bob, batch=finished(bob, ROWS)))
    assert [row["nearest_bits"] for row in rows] == [None] * 4
    assert told["counts"]["kept"] == 4


def test_a_model_from_scratch_is_compared_with_its_own_copies(bob, finished, taught, checkpoint, settings, tmp_path):
    """Also with those whose pictures were deleted since."""
    settings.MODELS_ROOT = tmp_path
    taught.kind = "scratch"
    taught.save()
    checkpoint.training = taught
    checkpoint.save()
    folder = taught.folder / "pictures"
    folder.mkdir(parents=True)
    for number, picture in enumerate(taught.pictures.order_by("order")):
        (folder / f"{picture.pk.hex}.png").write_bytes(photo(number, edge=512))
    taught.pictures.update(file="", hash="")
    export = datasets.export_data_set(user=bob, batch=finished(bob, ROWS))
    _archive, rows, told = unpacked(export)
    assert [one["nearest_picture"] for one in told["left_out"]] == [f"view {COPY}.png"]
    shutil.rmtree(folder)
    export = datasets.export_data_set(user=bob, batch=finished(bob, ROWS))
    _archive, rows, told = unpacked(export)
    assert told["models"][0]["training_pictures"] == {"known": True, "count": 3, "gone": 3}
    assert any("3 of 3 training pictures of “Starter” are gone" in note for note in export.notes)
    assert len(rows) == 4


def test_a_picture_that_was_removed_after_it_was_learned_is_still_kept_clear_of(alice, bob, finished, adapter, taught):
    """Its file is gone, its hash is not: a model does not forget."""
    picture = taught.pictures.get(name=f"view {COPY}.png")
    trainings.remove_picture(user=alice, picture=picture)
    assert not TrainingPicture.objects.get(pk=picture.pk).file
    _archive, _rows, told = unpacked(datasets.export_data_set(user=bob, batch=finished(bob, ROWS, worn=adapter)))
    assert [one["nearest_picture"] for one in told["left_out"]] == [picture.name]


def test_names_of_another_teams_pictures_are_not_told(bob, charlie, finished, adapter, taught):
    taught.team = charlie.personal_team
    taught.save()
    _archive, rows, told = unpacked(datasets.export_data_set(user=bob, batch=finished(bob, ROWS, worn=adapter)))
    assert {one["nearest_picture"] for one in [*rows, *told["left_out"]]} == {None}
    assert told["left_out"][0]["nearest_learned_by"] == "Our bottle"


def test_what_nobody_has_approved_stays_in_where_the_team_wants_that(alice, bob, finished, studio):
    batch = finished(bob, ROWS)
    gallery.set_policy(user=alice, team=studio, marks_drafts=True)
    Media.objects.filter(seed=20).update(review_state=Media.ReviewState.APPROVED)
    _archive, rows, told = unpacked(datasets.export_data_set(user=bob, batch=batch))
    assert ([row["seed"] for row in rows], told["counts"]["left_out"]["draft"]) == ([20], 3)


def test_where_nothing_is_left_it_fails_and_says_why(bob, finished, adapter):
    export = datasets.export_data_set(user=bob, batch=finished(bob, [("a bottle", "", [0, COPY])], worn=adapter))
    gallery.drain_deliveries()
    export.refresh_from_db()
    assert (export.state, export.reason[:27]) == ("failed", "2 pictures were left out: t")
    assert not export.file


def test_pictures_without_a_file_are_told(bob, finished):
    batch = finished(bob, ROWS)
    media = Media.objects.get(seed=20)
    media.file.storage.delete(media.file.name)
    _archive, rows, told = unpacked(datasets.export_data_set(user=bob, batch=batch))
    assert (len(rows), told["left_out"][0]["why"], told["left_out"][0]["seed"]) == (3, "gone", 20)


def test_only_a_batch_that_has_ended_and_has_pictures(bob, make_batch):
    batch = make_batch(bob)
    with pytest.raises(Refused, match="ended"):
        datasets.export_data_set(user=bob, batch=batch)
    assert datasets.offer(user=bob, batch=batch) is None
    batch.jobs.all().move_all(State.CANCELLED)
    with pytest.raises(Refused, match="None"):
        datasets.export_data_set(user=bob, batch=batch)
    assert datasets.offer(user=bob, batch=batch) is None


def test_who_sees_the_batch_has_it_and_nobody_else(alice, bob, victor, charlie, finished):
    batch = finished(bob, ROWS)
    for user in (alice, victor):
        assert datasets.export_data_set(user=user, batch=batch).owner == user
    with pytest.raises(PermissionDenied):
        datasets.export_data_set(user=charlie, batch=batch)
    assert datasets.offer(user=charlie, batch=batch) is None
    private = finished(bob, ROWS, visibility="private")
    with pytest.raises(PermissionDenied):
        datasets.export_data_set(user=alice, batch=private)


def test_what_was_deleted_or_hidden_before_it_was_written_is_not_in_it(alice, bob, finished):
    batch = finished(bob, ROWS)
    export = datasets.export_data_set(user=alice, batch=batch)
    Media.objects.filter(seed=20).update(deleted=timezone.now())
    Media.objects.filter(seed=30).update(visibility="private")
    _archive, rows, _told = unpacked(export)
    assert [row["seed"] for row in rows] == [10, 11]


def test_the_engine_reads_it_back_as_a_folder_to_learn_from(bob, finished, tmp_path):
    archive, rows, _told = unpacked(datasets.export_data_set(user=bob, batch=finished(bob, ROWS)))
    archive.extractall(tmp_path)
    examples = data.read_folder(tmp_path)
    assert [one.caption for one in examples] == [row["text"] for row in rows]
    assert examples[0].open_picture().size == (96, 96)
