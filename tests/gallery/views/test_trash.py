"""The trash."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from gallery.models import Media

URL = reverse("gallery:trash")


def test_strangers_are_sent_to_the_entrance(client, db):
    assert client.get(URL).status_code == 302


@pytest.mark.parametrize(("who", "is_shown"), [("bob", True), ("alice", True), ("victor", False), ("charlie", False)])
def test_who_finds_what(as_, alice, bob, victor, charlie, make_media, who, is_shown):
    media, kept = make_media(bob), make_media(bob)
    Media.objects.filter(pk=media.pk).update(deleted=timezone.now())
    page = as_(User.objects.get(email=f"{who}@example.com")).get(URL).content.decode()
    assert (str(media.pk) in page) == is_shown
    assert str(kept.pk) not in page


def test_empty_it_says_so(as_, alice):
    assert "The trash is empty" in as_(alice).get(URL).content.decode()
