"""One's own page: name, colours, language."""

import pytest
from django.utils import translation

from accounts.models import User


@pytest.fixture(autouse=True)
def _english_again():
    yield
    translation.activate("en")


@pytest.fixture
def two_languages(settings):
    """As an installation with a second catalogue has them."""
    settings.LANGUAGES = [("en", "English"), ("de", "German")]


def test_the_menu_changes_the_theme_and_nothing_else(as_, bob):
    assert as_(bob).post("/account/theme/", {"theme": "dark"}, headers={"hx-request": "true"}).status_code == 204
    bob.refresh_from_db()
    assert (bob.theme, bob.name) == ("dark", "Bob")


def test_with_one_language_there_is_nothing_to_choose(as_, bob, settings):
    settings.LANGUAGES = [("en", "English")]
    assert b'name="language"' not in as_(bob).get("/account/profile/").content


def test_the_language_one_chose_goes_before_what_the_browser_asks(as_, bob, two_languages):
    client = as_(bob)
    answer = client.post("/account/profile/", {"name": "Bob", "theme": "system", "language": "de"})
    assert answer.status_code == 302
    page = client.get("/account/profile/", headers={"accept-language": "en"})
    assert page["Content-Language"] == "de"
    assert b'lang="de"' in page.content
    assert b"Deutsch" in page.content


def test_without_a_choice_the_browser_asks(as_, bob, two_languages):
    page = as_(bob).get("/account/profile/", headers={"accept-language": "de"})
    assert page["Content-Language"] == "de"


def test_a_language_that_is_no_longer_offered_is_forgotten(as_, bob, settings):
    settings.LANGUAGES = [("en", "English")]
    User.objects.filter(pk=bob.pk).update(language="de")
    assert as_(bob).get("/account/profile/")["Content-Language"] == "en"


def test_languages_are_named_in_their_own(as_, bob, two_languages):
    assert as_(bob).post("/account/profile/", {"name": "B", "theme": "dark", "language": "xx"}).status_code == 422
