"""Two people in two browsers: an album, a comment that names somebody, a review with changes, a link for a stranger."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.e2e.studio import generate, violations, wait_for
from tests.installation import Installation

PAGES = ("/albums/", "/review/", "/review/?tab=decided", "/notices/", "/activity/", "/links/", "/team/standards/")


@contextmanager
def another_person(browser: Browser, studio_at: Installation) -> Iterator[Page]:
    """A browser of somebody else."""
    context = browser.new_context(base_url=studio_at.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


def stays(page: Page) -> None:
    """From here on `has_stayed` says whether it was never loaded anew."""
    page.evaluate("window.isTheSamePage = true")


def has_stayed(page: Page) -> bool:
    """Whether all that came since came into the page as it stands."""
    return bool(page.evaluate("window.isTheSamePage"))


def invite(page: Page, email: str, role: str) -> str:
    """Makes a team, invites somebody into it, and returns the way in."""
    page.goto("/team/")
    page.get_by_label("Name of the new team").fill("Spring campaign")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("heading", name="Spring campaign").first).to_be_visible()
    page.wait_for_load_state()
    stays(page)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Role", exact=True).select_option(role)
    page.get_by_role("button", name="Invite", exact=True).click()
    link = page.get_by_label("Invitation link").input_value()
    assert has_stayed(page)
    return link.split("/", 3)[3]


def join(page: Page, path: str, name: str) -> None:
    """Takes an invitation."""
    page.goto(f"/{path}")
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Choose a password").fill("another battery staple")
    page.get_by_role("button", name="Create my account").click()
    expect(page.get_by_label("Main")).to_be_visible()


def picture(page: Page, prompt: str) -> str:
    """Makes one and returns the address of its page."""
    page.goto("/")
    card = generate(page, prompt, count=1, steps=4)
    wait_for(card, "done")
    return card.locator("figure.tile a").first.get_attribute("href") or ""


def is_marked(page: Page) -> bool:
    """Whether what the picture's page lets one download has the band of a draft at its foot."""
    with page.expect_download() as download:
        page.get_by_role("complementary").get_by_role("link", name="Download").click()
    with Image.open(download.value.path()) as image:
        return image.convert("RGB").getpixel((0, image.height - 1)) == (22, 22, 23)


def test_from_an_invitation_to_a_link_for_a_stranger(page: Page, browser: Browser, studio_at: Installation):
    way_in = invite(page, "rita@example.com", "reviewer")
    with another_person(browser, studio_at) as rita:
        join(rita, way_in, "Rita Brown")
        page.goto("/team/")
        page.wait_for_load_state()
        stays(page)
        for role in ("viewer", "reviewer"):
            page.get_by_label("Role of Rita Brown").select_option(role)
            expect(page.get_by_text(f"Rita Brown’s role is now: {role.title()}.")).to_be_visible()
            expect(page.get_by_label("Role of Rita Brown")).to_have_value(role)
        assert has_stayed(page)
        page.goto("/team/standards/")
        page.get_by_label("Mark drafts").check()
        page.get_by_role("button", name="Save").first.click()
        rita.goto("/gallery/?tab=team")
        first = picture(page, "a red apple")
        expect(rita.locator(f"#tile-{first.split('/')[2]}")).to_be_visible()  # in what was empty, by itself

        # The album, from the picture.
        page.goto(first)
        page.get_by_role("link", name="Album", exact=True).click()
        page.get_by_label("New album").fill("Fruit")
        page.locator("#sheet").get_by_role("button", name="Save").click()
        expect(page.get_by_text("It stands in 1 album now.")).to_be_visible()

        activity = page.context.new_page()
        activity.goto("/activity/")
        expect(activity.get_by_text("made the album")).to_be_visible()

        # A comment with a pin and a name: the notice arrives where she is, and the team reads of it.
        rita.goto("/gallery/?tab=team")
        bell = rita.locator("#bell")
        expect(bell.locator(".bell-count")).to_have_count(0)
        page.wait_for_load_state()
        page.get_by_role("button", name="Point at the picture").click()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.get_by_label("Your comment").press_sequentially("What do you think, @Ri")
        page.get_by_role("option", name="Rita Brown").click()
        page.get_by_role("button", name="Send").last.click()
        expect(page.locator(".comment-text")).to_contain_text("@Rita Brown")
        expect(page.locator(".pin")).to_have_text("1")
        expect(bell.locator(".bell-count")).to_have_text("1")
        expect(activity.get_by_text("commented on a picture")).to_be_visible()

        # She answers; the answer appears on his page without a reload.
        stays(page)
        stays(activity)
        bell.click()
        rita.get_by_role("link", name=re.compile("mentioned you")).click()
        rita.wait_for_load_state()
        rita.locator(".thread .answer > summary", has_text="Answer").click()
        rita.get_by_label("Your answer").fill("Almost ripe.")
        rita.get_by_role("button", name="Send").first.click()
        expect(page.get_by_text("Almost ripe.")).to_be_visible()
        assert has_stayed(page)

        # A review with changes, a new version, and approval by keys.
        page.get_by_role("button", name="Ask for a review").click()
        page.get_by_role("checkbox", name="Rita Brown").check()
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator("#review .review-badge")).to_have_text("In review")
        expect(page).to_have_url(re.compile("#review$"))  # the form has led back
        expect(activity.get_by_text("asked for a review")).to_be_visible()
        assert has_stayed(activity)
        stays(page)
        rita.goto("/review/")
        rita.wait_for_load_state()
        rita.keyboard.press("c")
        rita.keyboard.type("Brighter, please")
        rita.get_by_role("button", name="Ask for changes").click()
        expect(rita.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
        expect(page.locator("#review .review-badge")).to_have_text("Changes wanted")
        expect(page.get_by_text("Brighter, please").first).to_be_visible()
        assert has_stayed(page)

        rita.goto("/gallery/?tab=team")
        rita.mouse.move(0, 0)
        stays(rita)
        second = picture(page, "a bright red apple")
        expect(rita.locator(f"#pictures > #tile-{second.split('/')[2]} img").first).to_be_visible()
        assert has_stayed(rita)
        page.goto(second)
        page.get_by_role("button", name="Ask for a review").click()
        page.get_by_role("checkbox", name="Rita Brown").check()
        page.get_by_label("It is a new version of").select_option(index=1)
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator("#review .review-badge[data-state=asked]")).to_be_visible()  # the form has led back
        rita.goto("/review/")
        rita.wait_for_load_state()
        rita.keyboard.press("a")
        expect(rita.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
        expect(page.locator("#review .review-badge")).to_have_text("Approved")

        # Only what is approved leaves without the mark.
        assert not is_marked(page)
        page.goto(first)
        assert is_marked(page)
        page.goto(second)

        # A link for a stranger, and its end.
        page.get_by_role("link", name="Share", exact=True).click()
        page.get_by_label("For whom").fill("Agency")
        page.get_by_label("Password").fill("apple pie")
        page.get_by_label("Originals can be downloaded").check()
        page.get_by_role("button", name="Make the link").click()
        address = page.get_by_label("Address of the link").input_value()
        with another_person(browser, studio_at) as stranger:
            stranger.goto(address)
            stranger.get_by_label("Password").fill("apple pie")
            stranger.get_by_role("button", name="Show it").click()
            expect(stranger.locator("figure.tile img")).to_be_visible()
            assert "apple" not in stranger.locator("body").inner_text()
            with stranger.expect_download() as download:
                stranger.locator("figure.tile").hover()
                stranger.get_by_role("link", name="Download").click()
            assert download.value.path().stat().st_size > 1000
            page.goto("/links/")
            page.on("dialog", lambda dialog: dialog.accept())
            page.get_by_role("button", name="Revoke").first.click()
            expect(page.get_by_text("revoked").first).to_be_visible()
            stranger.reload()
            expect(stranger.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_an_album_is_put_in_order_by_mouse_and_by_keyboard(page: Page):
    card = generate(page, "a green pear", count=3, steps=3)
    wait_for(card, "done")
    addresses = card.locator("figure.tile a[data-picture]").evaluate_all("links => links.map(link => link.pathname)")
    for number, address in enumerate(addresses):
        page.goto(address)
        page.get_by_role("link", name="Album", exact=True).click()
        if number == 0:
            page.get_by_label("New album").fill("In order")
        else:
            page.get_by_role("checkbox", name="In order").check()
        page.locator("#sheet").get_by_role("button", name="Save").click()
        expect(page.get_by_text("It stands in 1 album now.")).to_be_visible()
    page.goto("/albums/?tab=mine")
    page.get_by_role("link", name=re.compile("In order")).first.click()
    tiles = page.locator("#album-pictures > .tile")
    first, second, third = (address.split("/")[-2] for address in addresses)

    def expect_order(*names: str) -> None:
        for place, name in enumerate(names):
            expect(tiles.nth(place)).to_have_attribute("data-media", name)

    expect_order(first, second, third)
    page.wait_for_load_state()
    page.locator(f"#tile-{third}").drag_to(page.locator(f"#tile-{first}"))
    expect_order(third, first, second)
    page.locator(f"#tile-{third}").get_by_role("button", name="Move back").focus()
    page.keyboard.press("Enter")
    expect_order(first, third, second)
    expect(page.locator(f"#tile-{third}").get_by_role("button", name="Move back")).to_be_focused()
    page.reload()
    expect_order(first, third, second)


@pytest.mark.parametrize("width", [390, 1440])
def test_the_pages_of_team_work_are_accessible_and_fit(page: Page, width: int):
    address = picture(page, "a lemon")
    page.set_viewport_size({"width": width, "height": 900})
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        for path in (address, *PAGES):
            page.goto(path)
            assert violations(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
