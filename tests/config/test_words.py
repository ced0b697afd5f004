"""What pages say and lead to by the hundred is worked out once, and is what Django would have said."""

import pytest
from django.template import Context, Template, engines
from django.template.exceptions import TemplateSyntaxError
from django.test import RequestFactory
from django.urls import NoReverseMatch, resolve
from django.utils import translation

from config import addresses


def _render(source: str, **facts) -> str:
    return Template(source).render(Context(facts))


@pytest.fixture
def german(monkeypatch):
    """A language in which every word has an underscore before it."""
    said = translation._trans
    monkeypatch.setattr(said, "gettext", lambda word: f"_{word}" if translation.get_language() == "de" else word)
    monkeypatch.setattr(said, "pgettext", lambda context, word: f"{context}:{word}")


def test_words_follow_the_language_in_one_template(german):
    page = Template('{% load i18n %}{% translate "Cancel" %} {% trans "100% sure" %}')
    assert page.render(Context()) == "Cancel 100% sure"
    with translation.override("de"):
        assert page.render(Context()) == "_Cancel _100% sure"
    assert page.render(Context()) == "Cancel 100% sure"


def test_what_depends_on_more_is_not_remembered(german):
    page = Template(
        '{% load i18n %}{% translate word %} {% translate "May" context "month" %} '
        '{% translate "Cancel"|upper %}{% translate "x" as kept %} {{ kept }}'
    )
    assert page.render(Context({"word": "one"})) == "one month:May CANCEL x"
    assert page.render(Context({"word": "<two>"})) == "&lt;two&gt; month:May CANCEL x"


def test_an_address_is_looked_up_once():
    source = '{% url "gallery:picture" pk %}'
    first = _render(source, pk="6f9619ff-8b86-4d01-b42d-00c04fc964ff")
    assert resolve(first).view_name == "gallery:picture"
    before = addresses._reverse.cache_info().misses
    assert _render(source, pk="6f9619ff-8b86-4d01-b42d-00c04fc964ff") == first
    assert _render(source, pk="6f9619ff-8b86-4d01-b42d-00c04fc964fe") != first
    assert addresses._reverse.cache_info().misses == before + 1


def test_an_address_that_leads_nowhere_is_an_error_each_time():
    for _time in range(2):
        with pytest.raises(NoReverseMatch):
            _render('{% url "gallery:nothing" %}')
    assert _render('{% url "gallery:nothing" as link %}{{ link|default:"none" }}') == "none"
    with pytest.raises(TemplateSyntaxError):
        Template("{% url %}")


def test_it_is_as_near_as_the_page_is():
    request = RequestFactory().get("/admin/")
    request.resolver_match = resolve("/admin/")
    page = engines["django"].from_string('{% url "admin:index" %}')
    assert page.render({}, request) == "/admin/"
    request.current_app = "admin"
    assert page.render({}, request) == "/admin/"
