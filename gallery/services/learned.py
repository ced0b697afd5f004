"""What has learned from pictures, for whoever is about to delete them: models do not forget."""

from collections.abc import Collection
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import User
from gallery.models import Media
from gallery.signals import who_learned

NAMED = 5
ASKED = 1000  # pictures


def learned_in_words(*, user: User, media: Collection[UUID]) -> str:
    """A sentence that names what has learned from these pictures, as far as `user` may know; "" where nothing has."""
    asked = list(media)[:ASKED]
    answers = who_learned.send(sender=Media, user=user, media=asked) if asked else []
    names = [name for _receiver, some in answers for name in some or ()]
    if not names:
        return ""
    listed = ", ".join(names[:NAMED]) + ("…" if len(names) > NAMED else "")
    return _("These have learned from what you delete, and do not forget it: %(names)s.") % {"names": listed}
