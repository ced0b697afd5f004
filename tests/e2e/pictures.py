"""Many pictures in a running installation, without drawing them: rows that share one small file."""

from tests.installation import Installation

CODE = """
import io, uuid
from datetime import timedelta
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from accounts.models import User
from gallery.models import Media, Rendition
from gallery.renditions import blur

owner = User.objects.get(email={email!r})
team = owner.teams.first()
shapes = [(96, 96), (144, 81), (81, 144), (96, 120), (180, 60)]
shared, blurs = dict(), dict()
for size in shapes:
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    data = io.BytesIO()
    picture.save(data, "WEBP")
    shared[size] = default_storage.save("shared/%dx%d.webp" % size, ContentFile(data.getvalue()))
    blurs[size] = blur(picture)
now = timezone.now()
rows = []
for n in range({count}):
    size = shapes[n * 7 % 5]
    facts = dict(width=size[0] * 8, height=size[1] * 8, bytes=1, sha256="", derived=1, blur=blurs[size])
    moment = now - timedelta(days=400, seconds=n)
    prompt = "picture %d of {name}" % n
    rows.append(Media(team=team, owner=owner, created=moment, file=shared[size], prompt=prompt, **facts))
Media.objects.bulk_create(rows, batch_size=500)
Rendition.objects.bulk_create([Rendition(media=row, kind="tile", file=row.file.name, width=row.width // 8,
    height=row.height // 8) for row in rows], batch_size=500)
"""


def fill(installation: Installation, count: int, name: str) -> None:
    """Gives the administrator `count` old pictures called "picture N of NAME"."""
    email, _password = installation.administrator
    installation.manage("shell", "-v", "0", "-c", CODE.format(email=email, count=count, name=name))
