"""A whole installation and a real browser, once for all browser tests; a fresh page, signed in, for each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.installation import Installation, running
from tests.requirements import find_chromium

PASSWORD = "correct horse battery staple"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]


@pytest.fixture(scope="package")
def studio_at() -> Iterator[Installation]:
    """Started as `make run` starts it."""
    with running(PICTURES_PER_DAY="5000") as installation:
        yield installation


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's chromium. Package-wide and no wider: while it lives, Django forbids its database in this thread."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def session(studio_at: Installation, browser: Browser, tmp_path_factory) -> Path:
    """The cookies of the administrator, who signed in for the first time as a person does."""
    email, password = studio_at.administrator
    context = browser.new_context(base_url=studio_at.url)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Choose your own password")).to_be_visible()
    fields = page.locator("input[type=password]")
    for number in range(fields.count()):
        name = fields.nth(number).get_attribute("name")
        fields.nth(number).fill(password if name == "oldpassword" else PASSWORD)
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_label("Prompt", exact=True)).to_be_visible()
    path = tmp_path_factory.mktemp("session") / "state.json"
    context.storage_state(path=path)
    context.close()
    return path


@pytest.fixture
def context(studio_at: Installation, browser: Browser, session: Path) -> Iterator[BrowserContext]:
    """A signed-in browser profile without anything remembered."""
    opened = browser.new_context(base_url=studio_at.url, storage_state=session, viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """The Create page. Any error of a script fails the test."""
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto("/")
    yield opened
    assert errors == []


@pytest.fixture(autouse=True)
def _patience() -> None:
    """Steps take as long as the machine needs."""
    expect.set_options(timeout=30_000)
