"""What a person does on the Create page, in the words of the browser tests; and what they may expect of every page."""

from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect


def fill(page: Page, prompt: str, *, count: int = 1, steps: int | None = None, seed: int | None = None) -> None:
    """Fills the composer."""
    page.get_by_label("Prompt", exact=True).fill(prompt)
    page.locator("[data-chip=count] > summary").click()
    page.locator(f"[data-chip=count] input[value='{count}']").check(force=True)
    if steps is not None or seed is not None:
        more = page.get_by_role("button", name="More", exact=True)
        if more.get_attribute("aria-expanded") != "true":
            more.click()
    if steps is not None:
        page.get_by_role("spinbutton", name="Steps").fill(str(steps))
    if seed is not None:
        page.get_by_label("Seed", exact=True).fill(str(seed))


def generate(page: Page, prompt: str, **settings: int) -> Locator:
    """Fills, presses Generate, and returns the new job's card."""
    fill(page, prompt, **settings)
    before = page.locator(".job").count()
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".job")).to_have_count(before + 1)
    return page.locator(f"#{page.locator('.job').first.get_attribute('id')}")


def wait_for(card: Locator, state: str) -> None:
    """Returns when the card shows that state."""
    expect(card).to_have_attribute("data-state", state, timeout=240_000)


def violations(page: Page, part: str | None = None) -> list[str]:
    """What axe-core calls serious or critical on this page, or in one part of it."""
    page.wait_for_load_state()
    found = Axe().run(page, context=part)["violations"]
    return [
        f"{item['id']}: {node['html'][:120]}"
        for item in found
        if item["impact"] in ("serious", "critical")
        for node in item["nodes"]
    ]
