"""A tile's menu by keyboard alone, also of a tile that the focus has only just brought into sight."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.pictures import fill
from tests.installation import Installation

WORD = "harbour"


@pytest.fixture(scope="module", autouse=True)
def _harbour(studio_at: Installation) -> None:
    """Sixty pictures: more than a window shows."""
    fill(studio_at, 60, WORD)


@pytest.fixture
def gallery(page: Page) -> Page:
    page.goto(f"/gallery/?q={WORD}")
    expect(page.locator("#pictures > .tile")).not_to_have_count(0)
    return page


def button(page: Page, n: int) -> Locator:
    return page.locator("#pictures > .tile").nth(n).get_by_role("button", name=re.compile("^More for"))


@pytest.mark.parametrize("n", [0, 30])
def test_it_opens_walks_and_gives_the_focus_back(gallery: Page, n):
    button(gallery, n).focus()  # which has a page that is scrolled smoothly on its way
    gallery.keyboard.press("Enter")
    menu = gallery.locator(".tile-menu:popover-open")
    items = menu.locator(".menu-item:visible")
    expect(items.first).to_be_focused()
    gallery.keyboard.press("ArrowDown")
    expect(items.nth(1)).to_be_focused()
    gallery.keyboard.press("ArrowUp")
    gallery.keyboard.press("ArrowUp")
    expect(items.last).to_be_focused()
    gallery.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(button(gallery, n)).to_be_focused()


def test_it_stands_beside_its_button_when_the_page_is_still(gallery: Page):
    button(gallery, 30).focus()
    gallery.keyboard.press("Enter")
    menu = gallery.locator(".tile-menu:popover-open")
    expect(menu).to_be_in_viewport(ratio=0.9)
    apart = """button => {
      const menu = document.querySelector('.tile-menu:popover-open').getBoundingClientRect();
      const at = button.getBoundingClientRect();
      return Math.round(Math.max(menu.top - at.bottom, at.top - menu.bottom));
    }"""
    assert button(gallery, 30).evaluate(apart) == 6  # pixels


def test_a_choice_opens_and_the_focus_comes_back_from_it(gallery: Page):
    button(gallery, 3).focus()
    gallery.keyboard.press("Enter")
    menu = gallery.locator(".tile-menu:popover-open")
    expect(menu.locator(".menu-item:visible").first).to_be_focused()
    menu.get_by_role("link", name="Save to album").press("Enter")
    expect(gallery.locator("#sheet").get_by_label("New album")).to_be_visible()
    expect(menu).to_have_count(0)
    gallery.keyboard.press("Escape")
    expect(button(gallery, 3)).to_be_focused()
