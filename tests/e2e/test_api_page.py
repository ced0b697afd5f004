"""The page that shows what the API can do, from our own files, under our own policy."""

from playwright.sync_api import Page, expect


def test_an_address_is_tried_on_the_page(page: Page):
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/account/keys/")
    page.get_by_role("link", name="every address of the API").click()
    page.get_by_role("button", name="Who am I?").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".responses-table.live-responses-table")).to_contain_text("pictures_left_today")
    assert said == []
    ours = page.url.split("/api/")[0]
    assert [url for url in asked if not url.startswith((ours, "data:", "blob:"))] == []
