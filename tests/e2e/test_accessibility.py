"""axe-core finds nothing serious on any page, in either theme; nothing moves while a page loads; pages stay light."""

import gzip

import pytest
from playwright.sync_api import Page

from tests.e2e.studio import generate, violations, wait_for

PAGES = [
    "/",
    "/gallery/",
    "/gallery/trash/",
    "/team/",
    "/team/styles/",
    "/team/styles/new/",
    "/team/words/",
    "/team/webhooks/",
    "/account/profile/",
    "/account/2fa/",
    "/account/keys/",
    "/prompts/",
    "/queue/",
    "/exports/",
    "/import/",
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_for_people_who_are_signed_in(page: Page, theme):
    wait_for(generate(page, "a star", count=1, steps=3), "done")
    page.emulate_media(color_scheme=theme)
    picture = page.locator(".job figure.tile a").first.get_attribute("href")
    export = f"/export/?media={picture.split('/')[2]}"
    for address in [*PAGES, picture, export]:
        page.goto(address)
        assert violations(page) == [], address


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_we_put_into_the_admin(page: Page, theme):
    wait_for(generate(page, "a star", count=1, steps=3), "done")
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.emulate_media(color_scheme=theme)
    for address in ("/admin/?range=24h", "/admin/system/"):
        page.goto(address)
        assert violations(page, ".board") == [], address
    assert errors == []  # the policy lets through what the pages need


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_for_strangers(browser, studio_at, theme):
    context = browser.new_context(base_url=studio_at.url, color_scheme=theme)
    page = context.new_page()
    for address in ("/account/login/", "/account/password/reset/", "/nothing-here/", "/invitation/unknown/"):
        page.goto(address)
        assert violations(page) == [], address
    context.close()


@pytest.mark.parametrize("address", ["/", "/gallery/"])
def test_nothing_moves_while_a_page_loads(page: Page, address):
    wait_for(generate(page, "a moon", count=2, steps=3), "done")
    page.add_init_script(
        """window.shift = 0;
        new PerformanceObserver(list => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
        }).observe({type: 'layout-shift', buffered: true});"""
    )
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.shift") == 0


@pytest.mark.parametrize("address", ["/", "/gallery/"])
def test_pages_stay_light(page: Page, address):
    sizes = {"script": 0, "stylesheet": 0}
    others: list[str] = []

    def note(response) -> None:
        kind = response.request.resource_type
        if kind in sizes:
            sizes[kind] += len(gzip.compress(response.body()))
        if kind != "image":
            others.append(response.url)

    page.wait_for_load_state("networkidle")  # what the page before still asks for is not this one's
    page.on("response", note)
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert 0 < sizes["script"] < 100_000
    assert 0 < sizes["stylesheet"] < 60_000
    if address == "/gallery/":
        assert len(others) < 15, others
