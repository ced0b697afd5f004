"""Files without rows, rows without files."""

import json
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from gallery.models import Media, Rendition
from generator.models import Job, State

STRAY = "originals/ab/abababababababababababababababab.png"


def _find(*args: str) -> list[dict]:
    out = StringIO()
    call_command("find_orphans", "--older-than", "0", *args, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_all_is_well(make_media, alice):
    make_media(alice)
    assert _find() == [{"files": 0, "media": 0, "renditions": 0, "pictures": 1, "removed": False}]


def test_a_file_without_a_row_is_found_and_removed_on_demand_only(make_media, alice):
    kept = make_media(alice)
    default_storage.save(STRAY, ContentFile(b"x"))
    assert _find()[0] == {"file": STRAY, "problem": "no row"}
    assert default_storage.exists(STRAY)
    _find("--remove")
    assert not default_storage.exists(STRAY)
    assert default_storage.exists(kept.file.name)


def test_a_young_file_may_have_its_row_coming(db):
    default_storage.save(STRAY, ContentFile(b"x"))
    out = StringIO()
    call_command("find_orphans", "--remove", stdout=out)
    assert default_storage.exists(STRAY)


def test_a_picture_without_its_file_goes_to_the_trash_and_its_job_says_so(make_media, make_job, alice):
    job, media = make_job(alice), make_media(alice)
    Job.objects.filter(pk=job.pk).update(state=State.DONE)
    Media.objects.filter(pk=media.pk).update(job=job.pk)
    default_storage.delete(media.file.name)
    assert _find()[0]["media"] == str(media.pk)
    assert Media.objects.kept().exists()
    _find("--remove")
    assert not Media.objects.kept().exists()
    job.refresh_from_db()
    assert job.reason == "A picture of this job is no longer in storage."
    assert _find()[-1]["media"] == 0


def test_a_rendition_without_its_file_goes(make_media, alice):
    media = make_media(alice)
    strip = media.renditions.get(kind=Rendition.Kind.FILMSTRIP)
    default_storage.delete(strip.file.name)
    _find("--remove")
    assert [one.kind for one in media.renditions.all()] == [Rendition.Kind.TILE]


def test_a_storage_that_lost_nearly_everything_is_doubted(make_media, alice, monkeypatch):
    monkeypatch.setattr("gallery.services.orphans.MOST_AT_ONCE", 1)
    for _number in range(3):
        default_storage.delete(make_media(alice).file.name)
    with pytest.raises(CommandError, match="mounted"):
        _find("--remove")
    assert Media.objects.kept().count() == 3
