"""Notices: at the bell, by letter, and never of what somebody cannot see."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Membership
from gallery import services
from gallery.models import Notice


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.EMAIL_CONFIGURED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.SITE_URL = "https://studio.example"


def later(**how_much):
    return timezone.now() + timedelta(**how_much)


def test_one_letter_tells_all_that_was_not_seen(alice, bob, make_media, mailoutbox):
    media = make_media(bob)
    services.add_comment(user=alice, media=media, text="Brighter?")
    services.add_comment(user=alice, media=media, text="Or darker?")
    assert services.send_letters(now=later(hours=1)) == 1
    (letter,) = mailoutbox
    assert letter.to == [bob.email]
    assert "Brighter?" in letter.body
    assert "Or darker?" in letter.body
    assert f"https://studio.example/notices/{Notice.objects.first().pk}/" in letter.body
    assert services.send_letters(now=later(days=2)) == 0


def test_the_next_letter_comes_a_day_later_or_an_hour(alice, bob, make_media, mailoutbox):
    media = make_media(bob)
    services.add_comment(user=alice, media=media, text="One")
    services.send_letters(now=later(hours=1))
    services.add_comment(user=alice, media=media, text="Two")
    assert services.send_letters(now=later(hours=3)) == 0
    services.prefer_notices(user=bob, letters="hourly", muted=[])
    assert services.send_letters(now=later(hours=3)) == 1


def test_who_looks_at_the_page_gets_no_letter(alice, bob, make_media, as_, mailoutbox):
    services.add_comment(user=alice, media=make_media(bob), text="One")
    as_(bob).post("/notices/read/")
    assert services.send_letters(now=later(hours=1)) == 0


def test_there_is_time_to_look_first(alice, bob, make_media):
    services.add_comment(user=alice, media=make_media(bob), text="One")
    assert services.send_letters() == 0


def test_never_means_never(alice, bob, make_media):
    services.prefer_notices(user=bob, letters="never", muted=[])
    services.add_comment(user=alice, media=make_media(bob), text="One")
    assert services.send_letters(now=later(days=3)) == 0


def test_nothing_is_told_of_a_team_that_one_has_left(alice, bob, studio, make_media, mailoutbox):
    services.add_comment(user=alice, media=make_media(bob), text="Secret")
    Membership.objects.filter(team=studio, user=bob).delete()
    assert services.send_letters(now=later(hours=1)) == 0
    assert mailoutbox == []


def test_a_letter_that_cannot_be_sent_is_tried_again(alice, bob, make_media, settings, mailoutbox):
    services.add_comment(user=alice, media=make_media(bob), text="One")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert services.send_letters(now=later(hours=1)) == 0
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert services.send_letters(now=later(hours=1)) == 1


def test_without_a_mail_server_nothing_is_marked_as_mailed(alice, bob, make_media, settings):
    settings.EMAIL_CONFIGURED = False
    services.add_comment(user=alice, media=make_media(bob), text="One")
    assert services.send_letters(now=later(hours=1)) == 0
    assert Notice.objects.filter(mailed=None).count() == 1


def test_a_notice_leads_to_what_it_is_about_and_is_read_then(alice, bob, make_media, as_):
    media = make_media(bob)
    services.add_comment(user=alice, media=media, text="One")
    notice = Notice.objects.get()
    answer = as_(bob).get(f"/notices/{notice.pk}/")
    assert answer["Location"] == f"{media.get_absolute_url()}#comments"
    assert not Notice.objects.unread().exists()


def test_the_team_reads_what_happened_but_not_about_private_things(alice, bob, studio, make_media, as_):
    media = make_media(bob)
    services.add_comment(user=bob, media=media, text="A remark")
    services.create_album(user=bob, team=studio, name="Hidden plans", visibility="private")
    assert "A remark" in as_(alice).get("/activity/").content.decode()
    assert "Hidden plans" not in as_(alice).get("/activity/").content.decode()
    services.set_visibility(user=bob, media=media, visibility="private")
    assert "A remark" not in as_(alice).get("/activity/").content.decode()


def test_preferences_are_kept(bob, alice, make_media, as_):
    as_(bob).post("/notices/preferences/", {"letters": "never", "verb": ["mentioned"]})
    services.add_comment(user=alice, media=make_media(bob), text="One")
    assert not Notice.objects.exists()
