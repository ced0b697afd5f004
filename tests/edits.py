"""What becomes of bob's pictures, for the table of doors and the tests of the Edit page."""

from io import BytesIO

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from accounts.models import User
from generator import services

WHOLE = {"way": "image", "prompt": "a green apple", "checkpoint": "starter", "strength": "0.5"}


def mask(size: tuple[int, int] = (64, 64), box: tuple[int, int, int, int] = (16, 16, 48, 48)) -> SimpleUploadedFile:
    """A mask as the page sends it: clear where the picture is made anew."""
    image = Image.new("RGBA", size, "black")
    image.paste((0, 0, 0, 0), box)
    data = BytesIO()
    image.save(data, "PNG")
    return SimpleUploadedFile("mask.png", data.getvalue(), "image/png")


def address(name: str, bob: User, make_media, make_job, visibility: str) -> str | None:
    """Where `name` is for a picture of bob's that was made now; None for what is not of here."""
    if name not in ("generator:edit", "generator:make_edit", "generator:edit_result"):
        return None
    media = make_media(bob, visibility=visibility)
    job = make_job(bob, way="image", source=media, visibility=visibility)
    services.cancel_job(user=bob, job=job)
    return reverse(name, args=[media.pk, job.pk] if name == "generator:edit_result" else [media.pk])
