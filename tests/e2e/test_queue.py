"""The queue page in real browsers: three people look at it at once, and each sees at once what another changes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.e2e.conftest import PASSWORD
from tests.e2e.studio import generate
from tests.installation import Installation

PEOPLE = f"""
from accounts.models import Membership
from accounts.roles import Role
from accounts.services import create_person, create_team
mina = create_person(email="mina@example.com", name="Mina", password="{PASSWORD}")
team = create_team(user=mina, name="Line-up")
bob = create_person(email="bob@example.com", name="Bob", password="{PASSWORD}")
Membership.objects.create(team=team, user=bob, role=Role.CREATOR)
for person in (mina, bob):
    person.last_team = team
    person.save()
"""
RELEASE = "from generator.models import Hold; Hold.objects.all().delete()"


@pytest.fixture(scope="module")
def team(studio_at: Installation) -> Iterator[None]:
    """Mina owns a team, Bob makes pictures in it. Nothing stays held for other tests."""
    studio_at.manage("shell", "-c", PEOPLE)
    yield
    studio_at.manage("shell", "-c", RELEASE)


def _signed_in(browser: Browser, studio_at: Installation, email: str) -> BrowserContext:
    context = browser.new_context(base_url=studio_at.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Prompt", exact=True)).to_be_visible()
    page.close()
    return context


@pytest.fixture
def bob(browser: Browser, studio_at: Installation, team) -> Iterator[BrowserContext]:
    """A creator's browser."""
    context = _signed_in(browser, studio_at, "bob@example.com")
    yield context
    context.close()


@pytest.fixture
def mina(browser: Browser, studio_at: Installation, team) -> Iterator[BrowserContext]:
    """The browser of the team's owner."""
    context = _signed_in(browser, studio_at, "mina@example.com")
    yield context
    context.close()


def _queue(context: BrowserContext) -> Page:
    page = context.new_page()
    page.goto("/queue/")
    expect(page.get_by_role("heading", name="Queue", exact=True)).to_be_visible()
    return page


def _hold(page: Page, button: str, reason: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name="Pause").click()


def _waiting(page: Page) -> Locator:
    return page.locator(".row .line-title")


def test_three_people_and_one_queue(page: Page, bob: BrowserContext, mina: BrowserContext):
    staff, of_bob, of_mina = page, _queue(bob), _queue(mina)
    errors: list[str] = []
    for one in (of_bob, of_mina):
        one.on("pageerror", lambda error: errors.append(str(error)))

    # An administrator stops everything; whoever looks at the queue is told at once, and why.
    staff.goto("/queue/")
    _hold(staff, "Pause everything", "New graphics card.")
    expect(staff.get_by_role("button", name="Let it go on")).to_be_visible()
    for one in (of_bob, of_mina):
        expect(one.get_by_text("The whole queue is paused. New graphics card.").first).to_be_visible()
        expect(one.locator("#queue-announcer")).to_contain_text("The whole queue is paused.")
        expect(one.get_by_role("button", name="Let it go on")).to_have_count(0)

    # What Bob asks for appears in his line and for the team.
    create = bob.new_page()
    create.goto("/")
    for prompt, steps in (("a red apple", 60), ("a green pear", 59), ("a blue plum", 58)):  # or they ran together
        generate(create, prompt, count=2, steps=steps)
    for one in (of_bob, of_mina):
        expect(_waiting(one)).to_have_text(["a red apple", "a green pear", "a blue plum"])

    # By keyboard: the last to the front, then one down. The focus stays on what is moved, and words say where it is.
    of_bob.get_by_role("button", name="Move “a blue plum”").focus()
    of_bob.keyboard.press("Home")
    expect(_waiting(of_bob)).to_have_text(["a blue plum", "a red apple", "a green pear"])
    expect(of_bob.locator("#queue-announcer")).to_have_text("a blue plum: now 1 of 3")
    expect(of_bob.get_by_role("button", name="Move “a blue plum”")).to_be_focused()
    of_bob.keyboard.press("ArrowDown")
    for one in (of_bob, of_mina):
        expect(_waiting(one)).to_have_text(["a red apple", "a blue plum", "a green pear"])

    # By pointer: Mina, who manages, drags the first to the end of Bob's line.
    handle = of_mina.get_by_role("button", name="Move “a red apple”")
    last = of_mina.locator(".row .line").last
    start, end = handle.bounding_box(), last.bounding_box()
    assert start
    assert end
    of_mina.mouse.move(start["x"] + 10, start["y"] + 10)
    of_mina.mouse.down()
    of_mina.mouse.move(start["x"] + 10, end["y"] + end["height"] - 4, steps=8)
    of_mina.mouse.up()
    for one in (of_bob, of_mina):
        expect(_waiting(one)).to_have_text(["a blue plum", "a green pear", "a red apple"])

    # Bob lets one rest, takes that back, and cancels it for good.
    of_bob.get_by_role("button", name="Pause “a green pear”").click()
    expect(of_mina.get_by_role("button", name="Resume “a green pear”")).to_be_visible()
    of_bob.get_by_role("button", name="Undo").click()
    expect(of_mina.get_by_role("button", name="Pause “a green pear”")).to_be_visible()
    of_bob.get_by_label("More for “a green pear”").click()
    of_bob.get_by_role("button", name="Cancel…").locator("visible=true").click()
    of_bob.get_by_role("button", name="Cancel it").locator("visible=true").click()
    expect(_waiting(of_mina)).to_have_text(["a blue plum", "a red apple"])

    # Mina pauses her team: it stands still although everything else goes on.
    _hold(of_mina, "Pause the team", "Budget first.")
    expect(of_bob.get_by_text("Budget first.").first).to_be_visible()
    staff.get_by_role("button", name="Let it go on").click()
    expect(of_bob.get_by_text("New graphics card.")).to_have_count(0)
    expect(_waiting(of_bob)).to_have_text(["a blue plum", "a red apple"])

    # Then it goes on, in Bob's order; Mina watches his pictures come, and both see them ended.
    of_mina.get_by_role("button", name="Let it go on").click()
    expect(of_mina.locator(".line-running .line-title")).to_have_text(["a blue plum"])
    expect(of_mina.locator(".line-running [data-progress]")).to_contain_text("of 58")
    for one in (of_bob, of_mina):
        expect(one.locator(".line-ended .line-title").first).to_have_text("a red apple", timeout=240_000)
        expect(one.get_by_role("heading", name="Nothing is waiting")).to_be_visible()
    assert errors == []
