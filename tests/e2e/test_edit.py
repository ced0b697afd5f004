"""A picture is changed on its canvas, by mouse and by keyboard; words come by help."""

import re

import pytest
from playwright.sync_api import Page, expect

from generator.diffusion import pipelines
from generator.diffusion.starter.assemble import assemble
from tests.e2e.studio import generate, violations, wait_for
from tests.generator.diffusion.tiny_guides import ip_adapter


def _open(page: Page, way: str = "inpaint") -> str:
    """The Edit page of a picture that was just made. Returns the picture's id."""
    card = generate(page, "a red apple on a mint green background", count=1, steps=8)
    wait_for(card, "done")
    media = card.locator("figure.tile a").first.get_attribute("href").strip("/").split("/")[-1]
    page.goto(f"/edit/{media}/?way={way}")
    page.wait_for_load_state()
    return media


def _made(page: Page) -> None:
    expect(page.locator("[data-made]")).to_be_attached(timeout=90_000)
    expect(page.get_by_role("slider", name="Before and after")).to_be_focused()


def test_a_part_is_painted_over_by_mouse_and_compared(page: Page):
    media = _open(page)
    box = page.locator("[data-mask]").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5, steps=6)
    page.mouse.up()
    expect(page.locator("[data-part-painted]")).to_contain_text(re.compile(r"\d+ % of the picture"))
    page.get_by_label("What should be there").fill("a green leaf")
    page.get_by_role("button", name="Make it").click()
    _made(page)
    page.keyboard.press("ArrowRight")
    assert page.locator("[data-compare]").evaluate("one => one.style.getPropertyValue('--at')") == "51%"
    assert violations(page) == []
    page.get_by_role("link", name="Keep it").click()
    expect(page.get_by_role("heading", name="Where it comes from")).to_be_visible()
    expect(page.locator(f".lineage a[href='/gallery/{media}/']")).to_be_visible()


def test_a_part_by_keyboard_alone(page: Page):
    _open(page)
    page.get_by_text("A rectangle, by numbers").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Paint it").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-part-painted]")).to_have_text("25 % of the picture")
    page.locator("[data-mask]").focus()
    page.keyboard.press("i")
    expect(page.locator("[data-part-painted]")).to_have_text("75 % of the picture")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(page.locator("[data-part-painted]")).to_have_text("")
    page.keyboard.press("Space")
    expect(page.locator("[data-part-painted]")).not_to_have_text("")
    page.keyboard.press("Control+Enter")
    _made(page)


def test_extending_to_a_format_keeps_the_picture_in_its_place(page: Page):
    _open(page, "outpaint")
    page.get_by_role("button", name="Landscape").click()
    expect(page.get_by_label("Left, px")).not_to_have_value("0")
    page.get_by_role("button", name="Make it").click()
    _made(page)
    place = page.locator("[data-compare]").get_attribute("style")
    assert re.search(r"--h: 100\.0000%", place)
    assert not re.search(r"--w: 100\.0000%", place)


def test_a_product_is_cut_out_and_placed_in_a_scene(page: Page):
    _open(page, "scene")
    page.get_by_role("button", name="Remove the background").click()
    _made(page)
    page.get_by_role("link", name="Place in a scene").click()
    page.get_by_role("combobox", name="Format").select_option("landscape")
    page.get_by_role("slider", name="From the left").focus()
    page.keyboard.press("Home")
    page.keyboard.press("PageUp")
    page.get_by_role("slider", name="Size", exact=True).fill("0.6")
    frame = page.locator("[data-frame]")
    was = page.get_by_role("slider", name="From the left").input_value()
    box = frame.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5, steps=4)
    page.mouse.up()
    assert float(page.get_by_role("slider", name="From the left").input_value()) > float(was) + 0.2
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("What the picture should show").fill("a red apple on a navy blue background")
    page.get_by_role("button", name="Make it").click()
    _made(page)
    assert not re.search(r"--w: 100\.0000%", page.locator("[data-compare]").get_attribute("style"))


@pytest.fixture
def look(studio_at, tmp_path):
    """An IP-Adapter for the starter in the catalogue of the installation."""
    file = ip_adapter(pipelines.load(str(assemble(tmp_path / "starter"))), tmp_path / "look")
    entered = f"Adapter.objects.create(slug='look', name='Look', kind='ip-adapter', source={file!r}, **facts)"
    facts = "facts = dict(family='starter', licence_name='MIT', commercial_use='yes')"
    studio_at.manage("shell", "-c", f"from generator.models import Adapter; {facts}; {entered}")
    yield
    studio_at.manage("shell", "-c", "from generator.models import Adapter; Adapter.objects.all().delete()")


def test_a_garment_is_chosen_painted_and_tried_on(page: Page, look):
    _open(page, "garment")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("Paint over")
    page.get_by_role("button", name=re.compile("Go by: a red apple")).first.click()
    expect(page.get_by_alt_text("The garment", exact=True)).to_be_visible()
    page.get_by_text("A rectangle, by numbers").click()
    page.get_by_role("button", name="Paint it").click()
    page.get_by_label("What is worn").fill("a woman in a red coat")
    assert violations(page) == []
    page.get_by_role("button", name="Make it").click()
    _made(page)


def test_suggestions_are_taken_by_keyboard_and_gaps_become_fields(page: Page):
    wait_for(generate(page, "a purple umbrella in the rain", count=1, steps=3), "done")
    prompt = page.get_by_label("Prompt", exact=True)
    prompt.fill("")
    prompt.press_sequentially("purple umb")
    expect(page.get_by_role("listbox", name="Suggested prompts")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(prompt).to_have_value("a purple umbrella in the rain")
    prompt.fill("photo of [product] on [surface]")
    page.get_by_label("product", exact=True).fill("a lamp")
    expect(prompt).to_have_value("photo of a lamp on [surface]")


def test_the_composer_starts_from_a_picture(page: Page):
    wait_for(generate(page, "a yellow banana", count=1, steps=3), "done")
    page.get_by_text("From a picture", exact=True).click()
    page.get_by_role("button", name=re.compile("Start from: a yellow banana")).first.click()
    expect(page.get_by_text("From this picture")).to_be_visible()
    page.get_by_label("Prompt", exact=True).fill("a green banana")
    before = page.locator(".job").count()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator(".job")).to_have_count(before + 1)
    card = page.locator(f"#{page.locator('.job').first.get_attribute('id')}")
    wait_for(card, "done")
    card.locator("figure.tile a").first.click()
    expect(page.get_by_role("heading", name="Where it comes from")).to_be_visible()
