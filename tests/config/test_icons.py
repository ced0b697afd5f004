"""Icons are lucide's, and drawn once."""

from django.template import Context, Template

from config import icons


def _render(source: str, **facts) -> str:
    return Template(source).render(Context(facts))


def test_as_the_package_draws_them():
    from lucide.templatetags.lucide import lucide

    drawn = _render('{% lucide "trash-2" size=18 stroke_width=1.5 %}')
    assert drawn == lucide("trash-2", size=18, stroke_width=1.5)
    assert drawn.startswith("<svg")


def test_a_second_use_draws_nothing():
    _render('{% lucide "key-round" size=16 %}')
    before = icons._drawn.cache_info().misses
    assert _render("{% lucide icon size=16 %}", icon="key-round")
    assert icons._drawn.cache_info().misses == before


def test_what_comes_from_elsewhere_is_escaped():
    assert "<script>" not in _render('{% lucide "x" class=name %}', name='"><script>')
