"""Browsing a large gallery: choosing many, looking closely, scrolling far; by mouse, by keyboard and by hand."""

import json
import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.pictures import fill
from tests.e2e.studio import violations
from tests.installation import Installation

MANY = 2000
WORD = "meadow"
ADDRESS = f"/gallery/?q={WORD}"
WATCH_SHIFT = """window.shift = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({type: 'layout-shift', buffered: true});"""
SCRIPT = {"FunctionCall", "EvaluateScript", "EventDispatch", "XHRLoad", "XHRReadyStateChange", "TimerFire"}
SCRIPT |= {"FireAnimationFrame", "RunMicrotasks"}


@pytest.fixture(scope="module", autouse=True)
def _meadow(studio_at: Installation) -> None:
    """Two thousand pictures, which have one word in their prompts."""
    fill(studio_at, MANY, WORD)


@pytest.fixture
def gallery(page: Page) -> Page:
    """Their first page."""
    page.goto(ADDRESS)
    expect(tiles(page)).not_to_have_count(0)
    return page


def tiles(page: Page) -> Locator:
    return page.locator("#pictures > figure.tile")


def picture(page: Page, n: int) -> Locator:
    return tiles(page).nth(n).locator("a[data-picture]")


def check(page: Page, n: int) -> Locator:
    return tiles(page).nth(n).get_by_role("checkbox")


def name_of(page: Page, n: int) -> str:
    return tiles(page).nth(n).get_attribute("data-media") or ""


def expect_chosen(page: Page, n: int) -> None:
    expect(page.locator("#pictures .tile-check > :checked")).to_have_count(n)
    if n:
        expect(page.locator(".selection-count")).to_have_text(f"{n} chosen")
    else:
        expect(page.locator("#selection")).to_be_hidden()


# --- Choosing ---


def test_by_mouse_one_then_a_range_then_by_pressing_on_pictures(gallery: Page):
    tiles(gallery).nth(1).hover()
    check(gallery, 1).click()
    expect_chosen(gallery, 1)
    check(gallery, 4).click(modifiers=["Shift"])
    expect_chosen(gallery, 4)
    picture(gallery, 6).click()
    expect_chosen(gallery, 5)
    expect(gallery).to_have_url(re.compile(re.escape(ADDRESS)))
    gallery.get_by_role("button", name="Choose none").click()
    expect_chosen(gallery, 0)


def test_by_a_rectangle(gallery: Page):
    tiles(gallery).nth(1).hover()
    expect(gallery.locator("#selection")).to_be_attached()
    gallery.wait_for_load_state("networkidle")
    first, last = tiles(gallery).nth(0).bounding_box(), tiles(gallery).nth(2).bounding_box()
    gallery.mouse.move(first["x"] + 10, first["y"] + 20)
    gallery.mouse.down()
    gallery.mouse.move(first["x"] + 40, first["y"] + 40)
    gallery.mouse.move(last["x"] + 20, last["y"] + 40, steps=4)
    expect(gallery.locator(".marquee")).to_be_visible()
    expect_chosen(gallery, 3)
    gallery.mouse.up()
    expect(gallery.locator(".marquee")).to_have_count(0)
    expect_chosen(gallery, 3)


def test_by_keyboard_alone(gallery: Page):
    picture(gallery, 0).focus()
    gallery.wait_for_load_state("networkidle")
    gallery.keyboard.press("x")
    expect_chosen(gallery, 1)
    for count in (2, 3):
        gallery.keyboard.press("Shift+ArrowRight")
        expect_chosen(gallery, count)
    gallery.keyboard.press("Shift+ArrowLeft")
    expect_chosen(gallery, 2)
    gallery.keyboard.press("ArrowRight")
    gallery.keyboard.press("ArrowRight")
    gallery.keyboard.press("Space")
    expect_chosen(gallery, 3)
    gallery.keyboard.press("Control+a")
    expect_chosen(gallery, tiles(gallery).count())
    gallery.keyboard.press("Escape")
    expect_chosen(gallery, 0)


def test_many_go_and_come_back(gallery: Page):
    for n in range(3):
        tiles(gallery).nth(n).hover()
        check(gallery, n).check()
    gallery.locator("#selection").get_by_role("button", name="Delete").click()
    expect(gallery.get_by_text("3 pictures moved to the trash.")).to_be_visible()
    expect(gallery.locator("#pictures > .tile:not(:has(img))")).to_have_count(3)
    expect_chosen(gallery, 0)
    gallery.get_by_role("button", name="Undo").click()
    expect(gallery.get_by_text("3 pictures are back.")).to_be_visible()
    expect(gallery.locator("#pictures > .tile:not(:has(img))")).to_have_count(0)


def test_tags_and_the_trash_by_keyboard(gallery: Page):
    picture(gallery, 5).focus()
    gallery.wait_for_load_state("networkidle")
    gallery.keyboard.press("x")
    gallery.keyboard.press("Shift+ArrowRight")
    expect_chosen(gallery, 2)
    gallery.locator("#selection").get_by_role("button", name="Tags").press("Enter")
    gallery.get_by_label("Tags, by commas").fill("wide, green")
    gallery.keyboard.press("Enter")
    expect(gallery.get_by_text("2 pictures have the tags now.")).to_be_visible()
    picture(gallery, 5).focus()
    gallery.keyboard.press("x")
    expect_chosen(gallery, 1)
    name = name_of(gallery, 5)
    gallery.keyboard.press("Delete")
    expect(gallery.get_by_text("1 picture moved to the trash.")).to_be_visible()
    gallery.goto("/gallery/trash/")
    gallery.locator(f"[data-media='{name}'] a[data-picture]").focus()
    gallery.wait_for_load_state("networkidle")
    gallery.keyboard.press("x")
    gallery.locator("#selection").get_by_role("button", name="Delete for good").press("Enter")
    expect(gallery.get_by_role("heading", name="Delete 1 picture for good?")).to_be_visible()
    gallery.locator("#sheet").get_by_role("button", name="Delete for good").press("Enter")
    expect(gallery.get_by_text("1 picture is gone for good.")).to_be_visible()


def test_by_hand_a_long_press_begins(studio_at: Installation, browser: Browser, session):
    context = browser.new_context(
        base_url=studio_at.url, storage_state=session, viewport={"width": 390, "height": 844}, has_touch=True
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(ADDRESS)
    picture(page, 0).dispatch_event("pointerdown", {"pointerType": "touch", "button": 0, "bubbles": True})
    page.wait_for_load_state("networkidle")
    picture(page, 0).dispatch_event("pointerdown", {"pointerType": "touch", "button": 0, "bubbles": True})
    expect_chosen(page, 1)
    picture(page, 0).dispatch_event("pointerup", {"pointerType": "touch", "button": 0, "bubbles": True})
    picture(page, 1).tap()
    expect_chosen(page, 2)
    assert violations(page) == []
    context.close()


# --- Looking closely ---


def test_the_lightbox_by_keyboard_alone(gallery: Page):
    names = [name_of(gallery, n) for n in range(5)]
    picture(gallery, 1).focus()
    before = gallery.evaluate("scrollY")
    gallery.keyboard.press("Enter")
    box = gallery.get_by_role("dialog", name="Picture")
    expect(box).to_be_visible()
    for key, n in (("ArrowRight", 2), ("Space", 3), ("ArrowLeft", 2)):
        gallery.keyboard.press(key)
        expect(gallery).to_have_url(re.compile(names[n]))
    gallery.keyboard.press("i")
    expect(box.get_by_role("complementary")).to_contain_text(f"of {WORD}")
    gallery.keyboard.press("l")
    expect(box.get_by_role("button", name="Like")).to_have_attribute("aria-pressed", "true")
    gallery.keyboard.press("+")
    expect(box.locator(".is-zoomed")).to_be_visible()
    gallery.keyboard.press("Escape")
    expect(box.locator(".is-zoomed")).to_have_count(0)
    assert violations(gallery) == []
    gallery.keyboard.press("d")
    expect(gallery.get_by_text("Moved to the trash.")).to_be_visible()
    expect(gallery).to_have_url(re.compile(names[3]))
    gallery.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(gallery).to_have_url(re.compile(re.escape(ADDRESS)))
    assert gallery.evaluate("scrollY") == before
    assert gallery.evaluate("document.activeElement.closest('.tile').dataset.media") == names[3]
    gallery.get_by_role("button", name="Undo").click()
    expect(tiles(gallery).nth(2).locator("img")).to_be_visible()


def test_the_lightbox_by_mouse_and_by_the_browsers_buttons(gallery: Page):
    names = [name_of(gallery, n) for n in range(3)]
    picture(gallery, 0).click()
    box = gallery.get_by_role("dialog", name="Picture")
    expect(box.locator("[data-look=picture]")).to_be_visible()
    box.get_by_role("button", name="Next picture").click()
    expect(gallery).to_have_url(re.compile(names[1]))
    expect(box.locator("[data-look=picture]")).to_be_visible()
    stage = box.locator("[data-stage]").bounding_box()
    gallery.mouse.move(stage["x"] + 200, stage["y"] + 200)
    gallery.mouse.wheel(0, -400)
    expect(box.locator(".is-zoomed")).to_be_visible()
    gallery.go_back()
    expect(box).to_be_hidden()
    gallery.go_forward()
    expect(box).to_be_visible()
    gallery.reload()  # whoever comes to the address itself sees the page
    expect(gallery.get_by_role("complementary", name="About this picture")).to_be_visible()


def test_by_hand_a_swipe_goes_on_and_one_downwards_closes(gallery: Page):
    names = [name_of(gallery, n) for n in range(2)]
    picture(gallery, 0).click()
    box = gallery.get_by_role("dialog", name="Picture")
    stage = box.locator("[data-stage]")
    expect(box.locator("[data-look=picture]")).to_be_visible()
    swipe = """(stage, [dx, dy]) => {
      stage.setPointerCapture = () => {};
      const send = (type, x, y) => stage.dispatchEvent(new PointerEvent(type,
        {pointerId: 7, pointerType: 'touch', button: 0, bubbles: true, clientX: 300 + x, clientY: 300 + y}));
      send('pointerdown', 0, 0); send('pointermove', dx / 2, dy / 2); send('pointerup', dx, dy);
    }"""
    stage.evaluate(swipe, [-120, 8])
    expect(gallery).to_have_url(re.compile(names[1]))
    stage.evaluate(swipe, [4, 160])
    expect(box).to_be_hidden()


def test_the_picture_page_looks_closely_too_and_escape_leads_back_to_the_place(gallery: Page):
    gallery.evaluate("scrollTo({top: 700, behavior: 'instant'})")
    expect(gallery.locator(".rows-next").first).to_be_attached()
    n = gallery.evaluate(
        "[...document.querySelectorAll('#pictures > .tile')].findIndex(t => t.getBoundingClientRect().top > 0)"
    )
    before = gallery.evaluate("scrollY")
    picture(gallery, n).click(position={"x": 12, "y": 12})
    box = gallery.get_by_role("dialog", name="Picture")
    expect(box).to_be_visible()
    gallery.keyboard.press("Enter")
    expect(gallery.get_by_role("heading", level=1)).to_be_visible()
    gallery.wait_for_load_state()
    gallery.get_by_role("button", name="Look closely").click()
    expect(box.locator("[data-look=picture]")).to_be_visible()
    gallery.keyboard.press("Escape")
    expect(box).to_be_hidden()
    gallery.keyboard.press("Escape")
    expect(gallery).to_have_url(re.compile(re.escape(ADDRESS)))
    gallery.wait_for_function("y => Math.abs(scrollY - y) < 2", arg=before)


# --- Scrolling ---


def test_far_down_nothing_moves_and_no_script_holds_a_frame(page: Page, browser: Browser):
    page.add_init_script(WATCH_SHIFT)
    page.goto(ADDRESS)
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    while page.locator(".rows-next").count() or tiles(page).count() < MANY - 50:
        loaded = tiles(page).count()
        page.mouse.wheel(0, 6000)
        page.wait_for_function(
            "n => document.querySelectorAll('#pictures > .tile').length > n || !document.querySelector('.rows-next')",
            arg=loaded,
        )
    events = json.loads(browser.stop_tracing())["traceEvents"]
    # Time on the processor, in microseconds: a busy machine counts for nothing.
    slowest = max((event["tdur"], event["name"]) for event in events if event["name"] in SCRIPT and "tdur" in event)
    assert slowest[0] < 100_000, slowest
    assert page.evaluate("window.shift") == 0
    assert tiles(page).count() > MANY - 50
