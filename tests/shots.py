"""`make shots`: pictures of every page at three widths in both themes, empty and filled, in shots/. To be looked at."""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.conftest import FLAGS, PASSWORD
from tests.installation import ROOT, Installation, running
from tests.requirements import find_chromium

WIDTHS = {390: 844, 834: 1112, 1440: 900}
THEMES = ("light", "dark")
STRANGER = {
    "sign-in": "/account/login/",
    "reset": "/account/password/reset/",
    "invitation-over": "/invitation/unknown/",
}
MEMBER = {
    "create": "/",
    "gallery": "/gallery/",
    "gallery-search": "/gallery/?q=pink",
    "trash": "/gallery/trash/",
    "prompts": "/prompts/",
    "team": "/team/",
    "profile": "/account/profile/",
    "second-factor": "/account/2fa/",
    "not-found": "/nothing-here/",
}
ADMIN = {
    "admin": "/admin/",
    "admin-jobs": "/admin/generator/job/",
    "admin-media": "/admin/gallery/media/",
    "admin-people": "/admin/accounts/user/",
    "admin-teams": "/admin/accounts/team/",
    "admin-models": "/admin/generator/checkpoint/",
    "admin-workers": "/admin/generator/worker/",
}


def shoot(page: Page, pages: dict[str, str], folder: Path, state: str) -> None:
    """Every page at every width in every theme; whole pages, as far down as they go at first."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            for name, address in pages.items():
                page.goto(address)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=folder / f"{name}-{state}-{width}-{theme}.png")


def sign_in(page: Page, installation: Installation) -> None:
    """For the first time, as a person does."""
    email, password = installation.administrator
    page.goto("/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_label("Prompt", exact=True)).to_be_visible()


def take_all(browser: Browser, installation: Installation, folder: Path) -> None:
    """Strangers' pages, everything empty, then everything with the demo team in it."""
    page = browser.new_context(base_url=installation.url).new_page()
    shoot(page, STRANGER, folder, "stranger")
    sign_in(page, installation)
    shoot(page, MEMBER, folder, "empty")
    installation.manage("seed_demo")
    switch = page.context.new_page()
    switch.goto("/account/logout/")
    switch.get_by_role("button", name="Sign out").last.click()
    switch.goto("/")
    switch.get_by_label("Email").fill(installation.administrator[0])
    switch.get_by_label("Password", exact=True).fill(PASSWORD)
    switch.get_by_role("button", name="Sign in").click()
    switch.get_by_label("Prompt", exact=True).wait_for()
    switch.goto("/gallery/")
    first = switch.locator("figure.tile a").first.get_attribute("href") or "/"
    shoot(page, {**MEMBER, "picture": first, **ADMIN}, folder, "filled")
    emerging(page, folder)


def emerging(page: Page, folder: Path) -> None:
    """The Create page while four pictures come out of the noise."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto("/#prompt=3d+render+of+a+sunflower+on+a+pink+background&count=4&steps=60")
        page.get_by_role("button", name="Generate").click()
        page.get_by_text("step 20 of 60").wait_for(timeout=60_000)
        page.screenshot(path=folder / f"create-emerging-1440-{theme}.png")
        page.locator(".job[data-state=done]").first.wait_for(timeout=60_000)


def main() -> int:
    """Writes shots/*.png and says how many."""
    folder = ROOT / "shots"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    with running(PICTURES_PER_DAY="5000") as installation, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        take_all(browser, installation, folder)
        browser.close()
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} pictures in {folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
