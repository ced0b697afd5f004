"""From a prompt to a picture, as a person sees it."""

import re

from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from tests.e2e.studio import fill, generate, wait_for

# Notes every preview that any tile ever showed, whether or not this test looked at that moment.
WATCH = """() => {
  window.seen = new Set();
  new MutationObserver(changes => {
    for (const {target} of changes) if (target.dataset?.preview) window.seen.add(target.getAttribute('src'));
  }).observe(document, {subtree: true, attributes: true, attributeFilter: ['src']});
}"""


def test_a_prompt_becomes_four_pictures_and_every_step_is_seen(page: Page):
    page.evaluate(WATCH)
    loaded: set[str] = set()
    page.on("response", lambda response: loaded.add(response.url) if response.ok else None)
    card = generate(page, "a red apple, 3d icon", count=4, steps=20)
    wait_for(card, "done")
    expect(card.locator(".tile img").first).to_be_visible()
    expect(card.locator("figure.tile")).to_have_count(4)
    steps = {int(match[1]) for url in loaded if (match := re.search(r"/previews/0/(\d+)\.webp", url))}
    assert steps == set(range(1, 21))
    shown = page.evaluate("[...window.seen]")
    for index in range(4):
        assert len([url for url in shown if f"/previews/{index}/" in url]) >= 19, shown

    card.locator("figure.tile a").first.click()
    expect(page.get_by_role("heading", name="Recipe")).to_be_visible()
    recipe = page.locator("#recipe-table")
    for words in ("a red apple, 3d icon", "20", "Starter"):
        expect(recipe).to_contain_text(words)
    expect(page.get_by_role("slider", name="How it emerged")).to_be_visible()
    page.get_by_role("link", name="Gallery").first.click()
    expect(page.locator("figure.tile")).not_to_have_count(0)


def test_a_reload_in_the_middle_shows_the_true_state_and_goes_on(page: Page):
    card = generate(page, "a rocket", count=2, steps=150)  # long enough to be met in the middle on a busy machine
    expect(card).to_contain_text(re.compile(r"step \d+ of 150"))
    page.reload()
    card = page.locator(f"#{page.locator('.job').first.get_attribute('id')}")
    assert card.get_attribute("data-state") == "running"
    expect(card.locator("img[data-preview='0']")).to_be_visible()
    before = int(re.search(r"step (\d+)", card.inner_text())[1])
    assert before >= 1
    expect(card).not_to_contain_text(f"step {before} of")
    wait_for(card, "done")
    expect(card.locator("figure.tile")).to_have_count(2)


def test_a_socket_that_is_cut_in_the_middle_heals_and_misses_no_end(context: BrowserContext):
    page = context.new_page()
    sockets: list[WebSocketRoute] = []
    line = {"is cut": False}

    def through(socket: WebSocketRoute) -> None:
        if line["is cut"]:
            socket.close(code=1012)
            return
        socket.connect_to_server()
        sockets.append(socket)

    page.route_web_socket(re.compile(r"/ws/live/"), through)
    page.goto("/")
    card = generate(page, "a sunflower", count=1, steps=150)
    expect(card).to_contain_text(re.compile(r"step \d+ of 150"))
    line["is cut"] = True
    sockets[-1].close(code=1012)
    expect(page.locator("#connection")).to_be_visible()
    line["is cut"] = False
    expect(page.locator("#connection")).to_be_hidden()
    assert len(sockets) >= 2
    wait_for(card, "done")


def test_leaving_and_coming_back_loses_nothing(page: Page):
    card = generate(page, "a pizza", count=2, steps=40)
    name = card.get_attribute("id")
    page.goto("/gallery/")
    page.wait_for_timeout(500)
    page.goto("/")
    wait_for(page.locator(f"#{name}"), "done")


def test_cancel_then_retry(page: Page):
    card = generate(page, "a slow elephant", count=8, steps=150)
    expect(card).to_contain_text(re.compile(r"step \d+ of 150"))
    card.get_by_role("button", name="Cancel").click()
    wait_for(card, "cancelled")
    card.get_by_role("button", name="Run again").click()
    expect(card).to_have_count(0)  # the new one takes its place
    again = page.locator(f"#{page.locator('.job').first.get_attribute('id')}")
    expect(again).to_contain_text("a slow elephant")
    again.get_by_role("button", name="Cancel").click()
    wait_for(again, "cancelled")


def test_use_these_settings_brings_all_of_them_back(page: Page):
    card = generate(page, "a blue car", count=2, steps=9, seed=4127)
    wait_for(card, "done")
    page.get_by_label("Prompt", exact=True).fill("something else")
    card.locator("header").get_by_role("link", name="Use these settings").click()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a blue car")
    expect(page.get_by_role("spinbutton", name="Steps")).to_have_value("9")
    expect(page.get_by_label("Seed", exact=True)).to_have_value("4127")
    expect(page.locator("[data-chip=count] input:checked")).to_have_value("2")


def test_the_setup_is_in_the_address_and_is_remembered(page: Page, context: BrowserContext):
    fill(page, "a cake", count=3, steps=11)
    page.wait_for_url(re.compile("cake.*steps=11"))
    address = page.url
    assert "cake" not in address.split("#")[0]
    other = context.new_page()
    other.goto(address)
    expect(other.get_by_label("Prompt", exact=True)).to_have_value("a cake")
    expect(other.get_by_role("spinbutton", name="Steps")).to_have_value("11")


def test_the_main_path_by_keyboard_alone(page: Page):
    page.get_by_label("Prompt", exact=True).focus()
    page.keyboard.type("a green pear, 3d icon")
    page.keyboard.press("Control+Enter")
    card = page.locator(".job").first
    expect(card).to_contain_text("a green pear, 3d icon")
    wait_for(page.locator(f"#{card.get_attribute('id')}"), "done")
    for _press in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('figure.tile a')"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Recipe")).to_be_visible()
    page.wait_for_load_state()  # a key that is pressed before the scripts are there is nobody's
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile(r"/gallery/(\?.*)?$"))


def test_what_was_typed_survives_a_refusal(page: Page):
    fill(page, "a very long job", count=1)
    page.evaluate("document.querySelector('#composer-form').noValidate = true")
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("spinbutton", name="Steps").fill("999")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#steps-error")).to_be_visible()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a very long job")


def test_only_schedulers_that_suit_the_model_are_offered(page: Page):
    page.get_by_role("button", name="More", exact=True).click()
    scheduler = page.get_by_label("Scheduler")
    offered = scheduler.locator("option:not([disabled])").all_inner_texts()
    assert "DPM++ 2M" in offered
    assert "DPM++ 2M Karras" not in offered
