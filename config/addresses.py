"""`{% url %}` with a memory: a page of the gallery asks for three hundred addresses, mostly those of the last one."""

from collections.abc import Hashable
from functools import lru_cache
from typing import Any

from django import template
from django.template import Context
from django.template.base import Parser, Token
from django.template.defaulttags import URLNode, url
from django.urls import get_script_prefix, get_urlconf, reverse
from django.utils.html import conditional_escape

register = template.Library()


class Address(URLNode):
    """An address that is written where it stands."""

    def __init__(self, node: URLNode) -> None:
        super().__init__(node.view_name, node.args, node.kwargs, None)

    def render(self, context: Context) -> str:
        """As Django's; NoReverseMatch for what leads nowhere."""
        args = tuple([arg.resolve(context) for arg in self.args])
        kwargs = tuple([(name, arg.resolve(context)) for name, arg in self.kwargs.items()])
        request = getattr(context, "request", None)
        match = getattr(request, "resolver_match", None)
        near = getattr(request, "current_app", match.namespace if match else None)
        try:
            found = _reverse(self.view_name.resolve(context), args, kwargs, near, get_urlconf(), get_script_prefix())
        except TypeError:  # an argument that cannot be remembered
            return super().render(context)
        return conditional_escape(found) if context.autoescape else found


@register.tag("url")
def remembered_url(parser: Parser, token: Token) -> URLNode:
    """`{% url "gallery:picture" media.pk %}`"""
    node = url(parser, token)
    return node if node.asvar else Address(node)


@lru_cache(maxsize=8192)
def _reverse(
    name: str,
    args: tuple[Hashable, ...],
    kwargs: tuple[tuple[str, Any], ...],
    near: str | None,
    urlconf: str | None,
    prefix: str,
) -> str:
    return reverse(name, urlconf, args, dict(kwargs), near)
