"""Notices by e-mail: one letter for all that somebody has not seen yet, as often as they want one."""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from gallery.models import Album, Media, Notice, NoticePreferences

log = logging.getLogger(__name__)

Letters = NoticePreferences.Letters
EVERY = {Letters.HOURLY: timedelta(hours=1), Letters.DAILY: timedelta(days=1)}
LONGEST = 30  # notices told in one letter; the rest is a number


def send_letters(*, now: datetime | None = None) -> int:
    """Writes to everybody who has unread notices and whose last letter is long enough ago. Returns how many letters.

    What cannot be sent is tried again the next time; what somebody may not see any more is left out.
    """
    if not settings.EMAIL_CONFIGURED:
        return 0
    now = now or timezone.now()
    waiting = Notice.objects.unread().filter(mailed=None, user__is_active=True)
    sent = 0
    for user in User.objects.filter(pk__in=waiting.values("user")).select_related("notice_preferences"):
        preferences = getattr(user, "notice_preferences", None) or NoticePreferences(user=user)
        if preferences.letters != Letters.NEVER and _is_due(user, EVERY[Letters(preferences.letters)], now):
            sent += _write(user, now)
    return sent


def _is_due(user: User, every: timedelta, now: datetime) -> bool:
    last = Notice.objects.filter(user=user).exclude(mailed=None).order_by("-mailed").first()
    if last is not None and last.mailed is not None:
        return now - last.mailed >= every
    first = Notice.objects.unread().filter(user=user).order_by("created").first()
    return first is not None and now - first.created >= timedelta(minutes=10)  # perhaps they are just looking


def _write(user: User, now: datetime) -> int:
    notices = list(
        Notice.objects.unread()
        .filter(user=user, mailed=None)
        .select_related("activity__actor", "activity__media", "activity__album")
        .order_by("created")
    )
    seen = set(_ids(Media, user, [notice.activity.media_id for notice in notices]))
    seen |= set(_ids(Album, user, [notice.activity.album_id for notice in notices]))
    told = [n for n in notices if {n.activity.media_id, n.activity.album_id} - {None} <= seen]
    with translation.override(user.language or settings.LANGUAGE_CODE):
        if told:
            count = len(told)
            subject = ngettext("%(n)d thing happened", "%(n)d things happened", count) % {"n": count}
            facts = {
                "user": user,
                "notices": told[:LONGEST],
                "more": max(0, count - LONGEST),
                "site": settings.SITE_URL,
            }
            body = render_to_string("emails/notices.txt", facts)
            try:
                send_mail(_("Atelier: ") + subject, body, None, [user.email])
            except (OSError, SMTPException):
                log.warning("the letter with notices to person %d was not sent", user.pk, exc_info=True)
                return 0
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(mailed=now)
    return int(bool(told))


def _ids(model, user: User, ids: list):
    return model.objects.visible_to(user).filter(pk__in=[pk for pk in ids if pk]).values_list("pk", flat=True)
