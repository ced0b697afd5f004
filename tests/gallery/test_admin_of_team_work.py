"""Team work in the admin: every page opens, nothing can be rewritten, links can be closed."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from gallery import services
from gallery.models import Activity, Album, Comment, Review, ShareLink


@pytest.fixture
def admin(db) -> Client:
    client = Client()
    user = User.objects.create_superuser("root@example.com", "a rather long password")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def things(bob, alice, studio, make_media):
    """One of each."""
    media = make_media(bob)
    album = services.create_album(user=bob, team=studio, name="Spring", media=[media.pk])
    services.share_album(user=bob, album=album, email=alice.email, right="view")
    services.add_comment(user=bob, media=media, text="Hm")
    review = services.ask_review(user=bob, media=media, reviewers=[alice])
    services.decide(user=alice, review=review, verdict="approved")
    services.make_link(user=bob, album=album)


@pytest.mark.parametrize("model", [Album, ShareLink, Review, Comment, Activity])
def test_lists_and_pages_open_and_change_nothing(admin, things, model):
    name = f"admin:gallery_{model._meta.model_name}"
    assert admin.get(reverse(f"{name}_changelist")).status_code == 200
    address = reverse(f"{name}_change", args=[model.objects.first().pk])
    assert admin.get(address).status_code == 200
    assert admin.post(address, {"name": "x"}).status_code == 403
    assert admin.get(reverse(f"{name}_add")).status_code == 403


def test_links_can_be_closed(admin, things):
    link = ShareLink.objects.get()
    data = {"action": "revoke", "_selected_action": [str(link.pk)]}
    admin.post(reverse("admin:gallery_sharelink_changelist"), data)
    assert not ShareLink.objects.valid().exists()
