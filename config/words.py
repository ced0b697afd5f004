"""What `{% load i18n %}` brings: Django's own tags, of which `{% translate "Cancel" %}` remembers what it said.

A page of the gallery says four hundred such words, each the same as last time in the same language.
"""

from django import template
from django.template import Context, Variable
from django.template.base import Parser, Token
from django.templatetags import i18n
from django.utils.translation import get_language

register = template.Library()
register.tags.update(i18n.register.tags)
register.filters.update(i18n.register.filters)


class Words(i18n.TranslateNode):
    """Words that stand in the template itself."""

    def __init__(self, node: i18n.TranslateNode) -> None:
        super().__init__(node.filter_expression, node.noop)
        self._said: dict[tuple[str | None, bool], str] = {}

    def render(self, context: Context) -> str:
        """In the language of this moment."""
        key = (get_language(), context.autoescape)
        if key not in self._said:
            self._said[key] = super().render(context)
        return self._said[key]


@register.tag("translate")
@register.tag("trans")
def translate(parser: Parser, token: Token) -> i18n.TranslateNode:
    """`{% translate "Cancel" %}`; whatever depends on more than the language is Django's as ever."""
    node = i18n.do_translate(parser, token)
    said = node.filter_expression
    is_fixed = isinstance(said.var, Variable) and said.var.literal is not None and not said.filters
    return node if node.asvar or node.message_context or not is_fixed else Words(node)
