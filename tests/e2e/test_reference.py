"""Going by a picture: what the composer says where no model can, and a real ControlNet that leads the starter."""

import re

import pytest
from playwright.sync_api import Page, expect

from generator.diffusion import pipelines
from generator.diffusion.starter.assemble import assemble
from tests.e2e.studio import fill, generate, violations, wait_for
from tests.generator.diffusion.tiny_guides import controlnet

ENTER = """
from generator.models import Adapter
facts = {"family": "starter", "licence_name": "MIT", "commercial_use": "yes"}
Adapter.objects.create(slug="lines", name="Lines", kind="controlnet", structure="edges", source=%r, **facts)
"""


def test_where_no_model_can_go_by_a_picture_the_panel_says_what_is_missing(page: Page):
    page.get_by_text("Reference", exact=True).click()
    expect(page.get_by_text("No model here can go by a picture yet.")).to_be_visible()
    expect(page.get_by_label("What to take over")).to_be_hidden()


@pytest.fixture
def lines(studio_at, tmp_path):
    """A ControlNet for the starter in the catalogue of the installation."""
    folder = controlnet(pipelines.load(str(assemble(tmp_path / "starter"))), tmp_path / "lines")
    studio_at.manage("shell", "-c", ENTER % folder)
    yield
    studio_at.manage("shell", "-c", "from generator.models import Adapter; Adapter.objects.all().delete()")


def test_outlines_of_a_picture_lead_another(page: Page, lines):
    wait_for(generate(page, "a yellow banana", count=1, steps=3), "done")
    page.reload()
    page.get_by_text("Reference", exact=True).click()
    page.get_by_role("button", name=re.compile("Go by: a yellow banana")).first.click()
    expect(page.get_by_text("By this reference")).to_be_visible()
    taken = page.get_by_label("What to take over")
    assert taken.locator("option:not([disabled])").all_inner_texts() == ["Outlines"]
    page.get_by_label("How strongly").fill("0.9")
    assert violations(page) == []
    page.keyboard.press("Escape")
    fill(page, "a green cucumber", count=1, steps=3)
    page.wait_for_url(re.compile(r"reference_as=edges&reference_scale=0\.9"))
    before = page.locator(".job").count()
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".job")).to_have_count(before + 1)
    card = page.locator(f"#{page.locator('.job').first.get_attribute('id')}")
    wait_for(card, "done")
    page.locator("#reference-chip").click()
    page.locator("#reference-away").click()
    expect(page.get_by_text("Reference", exact=True)).to_be_visible()
    card.locator("header").get_by_role("link", name="Use these settings").click()
    expect(page.get_by_text("By this reference")).to_be_visible()
    card.locator("figure.tile a").first.click()
    expect(page.get_by_role("heading", name="Where it comes from")).to_be_visible()
