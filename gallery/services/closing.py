"""What becomes of a team's pictures when nobody is in it any more."""

from django.utils import timezone

from accounts.models import Team
from gallery.models import Media, ShareLink


def trash_all_of(team: Team) -> None:
    """Everything to the trash, where time removes it; links for people outside open nothing from now on."""
    now = timezone.now()
    Media.objects.filter(team=team, deleted=None).update(deleted=now)
    ShareLink.objects.filter(team=team, revoked=None).update(revoked=now)
