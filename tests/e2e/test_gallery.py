"""Finding, liking, deleting and getting back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.studio import generate, wait_for


@pytest.fixture
def gallery(page: Page) -> Page:
    """The gallery with at least two pictures in it."""
    wait_for(generate(page, "a lemon", count=2, steps=4), "done")
    page.goto("/gallery/")
    return page


def test_delete_and_undo(gallery: Page):
    tiles = gallery.locator("figure.tile")
    name = tiles.first.get_attribute("data-media")
    tile = gallery.locator(f"#tile-{name}")
    tile.hover()
    tile.get_by_role("button", name=re.compile("More for")).click()
    tile.get_by_role("button", name="Delete").click()
    expect(tile.locator("img")).to_have_count(0)
    gallery.get_by_role("button", name="Undo").click()
    expect(gallery.locator(f"#tile-{name} img").first).to_be_visible()
    gallery.reload()
    expect(tiles.first).to_have_attribute("data-media", name)


def test_delete_for_now_and_restore_from_the_trash(gallery: Page):
    name = gallery.locator("figure.tile").first.get_attribute("data-media")
    gallery.goto(f"/gallery/{name}/")
    gallery.get_by_role("complementary").get_by_role("button", name="Delete").click()
    gallery.goto("/gallery/trash/")
    gallery.goto(f"/gallery/{name}/")
    expect(gallery.get_by_text("moved to the trash")).to_be_visible()
    gallery.get_by_role("button", name="Restore").click()
    gallery.goto("/gallery/")
    expect(gallery.locator(f"#tile-{name}")).to_be_visible()


def test_arrows_walk_on_the_pages_and_escape_returns(gallery: Page):
    links = gallery.locator("figure.tile a[data-picture]").evaluate_all("links => links.map(link => link.pathname)")
    gallery.goto(links[0])
    for key, link in (("ArrowRight", links[1]), ("ArrowLeft", links[0])):
        gallery.wait_for_load_state()  # a key that is pressed before the scripts are there is nobody's
        gallery.keyboard.press(key)
        expect(gallery).to_have_url(re.compile(link))
    gallery.wait_for_load_state()
    gallery.keyboard.press("Escape")
    expect(gallery).to_have_url(re.compile(r"/gallery/(\?.*)?$"))


def test_the_filmstrip_can_be_scrubbed_by_keyboard(gallery: Page):
    gallery.goto(gallery.locator("figure.tile a").first.get_attribute("href"))
    film = gallery.get_by_role("slider", name="How it emerged")
    film.focus()
    gallery.keyboard.press("Home")
    expect(film).to_have_value("1")
    expect(gallery.locator(".stage .tile-film")).to_be_visible()
    gallery.keyboard.press("End")


def test_search_narrows_the_gallery(gallery: Page):
    wait_for_other = gallery.context.new_page()
    wait_for_other.goto("/")
    wait_for(generate(wait_for_other, "a violet lighthouse", steps=3), "done")
    gallery.goto("/gallery/?q=lighthouse")
    expect(gallery.locator("figure.tile")).to_have_count(1)


def test_filters_by_keyboard(gallery: Page):
    gallery.goto("/gallery/")
    gallery.locator("[data-filter-panel] > summary").press("Enter")
    gallery.get_by_label("Size", exact=True).select_option("small")
    gallery.get_by_label("Square", exact=True).focus()
    gallery.keyboard.press("Space")
    gallery.get_by_role("button", name="Show pictures").press("Enter")
    expect(gallery).to_have_url(re.compile(r"\?(?=.*shape=square)(?=.*size=small)(?!.*seed=)"))
    expect(gallery.locator("figure.tile").first).to_be_visible()
    gallery.get_by_role("link", name=re.compile("Remove the filter Size")).press("Enter")
    expect(gallery).to_have_url(re.compile(r"shape=square(?!.*size=)"))
    gallery.wait_for_load_state()
    gallery.keyboard.press("/")
    expect(gallery.get_by_role("searchbox").first).to_be_focused()
