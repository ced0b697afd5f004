"""Finding pictures: what people ask for (form), what they may look through (grounds), in which order (pages), what
there is to choose from (choices), and what is like something else (alike)."""

from gallery.search.alike import ask
from gallery.search.choices import Choices, choices
from gallery.search.form import Search, Sort, Tab
from gallery.search.pages import PAGE, Page, neighbours, page

__all__ = ["PAGE", "Choices", "Page", "Search", "Sort", "Tab", "ask", "choices", "neighbours", "page"]
