"""Searches that are kept, searches by meaning, and what comes while one looks; by mouse and by keyboard."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, WebSocketRoute, expect

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


def press_until(page: Page, key: str, target: Locator) -> None:
    """Presses `key` until the focus is where a person wants it, once the page holds still."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
    for _press in range(60):
        if target.evaluate("wanted => wanted === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not lead to {target}")


def test_a_search_is_kept_renamed_opened_and_deleted_by_keyboard_alone(page: Page):
    page.goto("/gallery/")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("/")
    page.keyboard.type(WORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"q={WORD}"))
    page.wait_for_load_state("networkidle")
    menu, saved = page.locator("[data-saved] > summary"), page.locator("#saved-list")

    press_until(page, "Tab", menu)
    page.keyboard.press("Enter")
    press_until(page, "Tab", page.get_by_label("Save this search as"))
    page.keyboard.type("By hand")
    page.keyboard.press("Enter")
    link = saved.get_by_role("link", name="By hand")
    expect(link).to_have_attribute("aria-current", "true")

    press_until(page, "Shift+Tab", saved.get_by_label("Change By hand"))  # one is still where the name was written
    page.keyboard.press("Enter")
    press_until(page, "Tab", saved.locator("details[open]").get_by_label("Name"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    link = saved.get_by_role("link", name="By keys")
    expect(link).to_be_visible()

    page.keyboard.press("Escape")
    expect(link).to_be_hidden()
    page.goto("/gallery/")
    page.wait_for_load_state("networkidle")
    press_until(page, "Tab", menu)
    page.keyboard.press("Enter")
    press_until(page, "Tab", link)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"q={WORD}"))

    page.wait_for_load_state("networkidle")
    press_until(page, "Tab", menu)
    page.keyboard.press("Enter")
    press_until(page, "Tab", saved.get_by_label("Delete By keys"))
    page.keyboard.press("Enter")
    expect(link).to_have_count(0)
    expect(page.get_by_text("was deleted.")).to_be_visible()


@pytest.fixture
def in_other_words(studio_at: Installation) -> str:
    """What the orchard is about, without a word that it has; answered by the worker as soon as it knows."""
    fill(studio_at, 1, "a puppy that plays in the garden")
    studio_at.manage("index_meaning")
    return "young dog"


def expect_found(page: Page) -> None:
    """The puppy is there, by meaning: the first answer may take longer than a page waits, while the model is loaded."""
    found, again = page.locator("#pictures > .tile"), page.get_by_role("link", name="Try again")
    for _try in range(30):
        expect(found.or_(page.get_by_role("heading", name="Nothing matches")).first).to_be_visible()
        if found.count():
            break
        page.wait_for_timeout(1000)
        again.press("Enter") if again.count() else page.reload()
    expect(found.first.locator("img").first).to_have_attribute("alt", re.compile("puppy"))


def test_other_words_find_it_by_meaning_by_mouse_and_by_keyboard(page: Page, in_other_words: str):
    for by_keyboard in (False, True):
        page.goto("/gallery/")
        page.wait_for_load_state("networkidle")
        page.keyboard.press("/")
        page.keyboard.type(in_other_words)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
        meaning = page.get_by_role("link", name="By meaning")
        if by_keyboard:
            page.wait_for_load_state("networkidle")
            press_until(page, "Tab", meaning)
            page.keyboard.press("Enter")
        else:
            meaning.click()
        expect(page).to_have_url(re.compile("meaning=1"))
        expect_found(page)
        expect(page.get_by_role("link", name="By meaning")).to_have_attribute("aria-current", "true")


def test_what_came_before_the_socket_did_is_not_missed(context: BrowserContext, studio_at: Installation):
    """No event tells of these pictures: the page asks when its line is there, the first time and again."""
    lines: list[WebSocketRoute] = []
    is_open = False

    def answer(line: WebSocketRoute) -> None:
        if is_open:
            line.connect_to_server()
            lines.append(line)
        else:
            line.close()

    page = context.new_page()
    page.route_web_socket(re.compile("/ws/live/"), answer)
    page.goto("/gallery/?q=heron&sort=newest")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    fill(studio_at, 1, "a heron")
    is_open = True
    expect(page.locator("#pictures > .tile")).to_have_count(1)

    page.wait_for_load_state("networkidle")
    is_open = False
    lines.pop().close()
    fill(studio_at, 2, "a heron")
    is_open = True
    expect(page.locator("#pictures > .tile")).to_have_count(3)
