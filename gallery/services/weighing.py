"""How large files will be, before anybody exports them: a worker makes a few of them and says."""

import logging
import uuid
from typing import Any

from celery import current_app
from django.core.cache import cache
from kombu.exceptions import OperationalError

from accounts.live import publish, user_group
from accounts.models import Team, User
from gallery.export.naming import Namer
from gallery.export.spec import Wishes
from gallery.models import Channel, Media
from gallery.services.exporting import kit_for, make, open_original

log = logging.getLogger(__name__)

TASK = "atelier.weigh"
MOST = 12  # crops at once: what a page shows first
WAITS = 60  # seconds after which nobody waits any more


def ask_weights(*, user: User, team: Team, wishes: Wishes) -> str:
    """Has a worker find out what the first crops weigh; the token that its event `export.weighed` will bear."""
    token = uuid.uuid4().hex
    cache.set(_key(token), {"user": user.pk, "team": str(team.pk), "wishes": wishes.as_json()}, WAITS)
    try:
        current_app.send_task(TASK, [token], expires=WAITS, retry=False)
    except (OperationalError, OSError):
        log.warning("the broker does not answer; nobody hears what crops weigh", exc_info=True)
    return token


def weigh(token: str) -> dict[str, int]:
    """Bytes by "media:channel", told to whoever asked; {} when nobody waits any more."""
    asked: dict[str, Any] | None = cache.get(_key(token))
    if asked is None:
        return {}
    cache.delete(_key(token))
    user, team = User.objects.get(pk=asked["user"]), Team.objects.get(pk=asked["team"])
    wishes = Wishes.from_json(asked["wishes"])
    kit = kit_for(team, wishes, Namer(""))
    channels = list(Channel.objects.for_team(team).filter(pk__in=wishes.channels))
    weights: dict[str, int] = {}
    for media in Media.objects.visible_to(user).kept().filter(pk__in=wishes.media).select_related("team", "owner"):
        image = open_original(media, kit)
        for channel in channels if image else ():
            if image and len(weights) < MOST and (made := make(kit, media, channel, image)):
                weights[f"{media.pk}:{channel.pk}"] = len(made.encoded.data)
    publish([user_group(user.pk)], {"type": "export.weighed", "token": token, "weights": weights})
    return weights


def _key(token: str) -> str:
    return f"weigh:{token}"
