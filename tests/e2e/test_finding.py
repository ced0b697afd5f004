"""Searches that are kept, by mouse."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pictures import fill
from tests.installation import Installation

WORD = "orchard"


@pytest.fixture(scope="module", autouse=True)
def _orchard(studio_at: Installation) -> None:
    """Some pictures that have one word in their prompts."""
    fill(studio_at, 6, WORD)


def test_a_search_is_kept_and_opened_by_mouse(page: Page):
    page.goto(f"/gallery/?q={WORD}&sort=oldest")
    page.get_by_text("Saved searches").first.click()
    page.get_by_label("Save this search as").fill("Trees")
    page.locator("#saved-list").get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#saved-list").get_by_role("link", name=re.compile("Trees"))).to_be_visible()
    page.goto("/gallery/")
    page.get_by_text("Saved searches").first.click()
    page.locator("#saved-list").get_by_role("link", name=re.compile("Trees")).click()
    expect(page).to_have_url(re.compile(rf"(?=.*q={WORD})(?=.*sort=oldest)"))
    expect(page.locator("#pictures > .tile")).to_have_count(6)
