"""A style taught through the browser, from a handful of pictures to an adapter beside the prompt."""

import re
from io import BytesIO

import numpy as np
from axe_core_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect


def serious(page: Page) -> list[str]:
    found = Axe().run(page)["violations"]
    return [item["id"] for item in found if item["impact"] in ("serious", "critical")]


def _photo(number: int) -> bytes:
    shades = np.random.default_rng(number).integers(0, 255, (7, 7, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(shades).resize((160, 160), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_style_is_taught_in_the_browser(page: Page):
    page.get_by_role("link", name="Train", exact=True).click()
    assert serious(page) == []
    page.get_by_role("link", name=re.compile("Teach a style")).click()
    page.get_by_label("Name", exact=True).fill("Blotches")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Steps").fill("2")
    assert serious(page) == []
    page.get_by_role("button", name="Next: pictures").click()
    expect(page.get_by_role("heading", name="Blotches")).to_be_visible()
    expect(page.get_by_role("button", name="Start")).to_be_disabled()
    files = [{"name": f"{n}.png", "mimeType": "image/png", "buffer": _photo(n)} for n in range(4)]
    page.get_by_label("Choose pictures").set_input_files([*files, {**files[0], "name": "no.png", "buffer": b"no"}])
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("“no.png” is no picture that can be read")).to_be_visible()
    expect(page.locator(".train-picture")).to_have_count(4)
    expect(page.get_by_role("button", name="Start")).to_be_disabled()  # nobody has said whose they are
    page.get_by_label("Whose pictures they are").select_option("own")
    page.get_by_label("People in them").select_option("nobody")
    page.get_by_role("button", name="State this for those without").click()
    expect(page.get_by_text("We made it · Nobody can be recognised")).to_have_count(4)
    page.get_by_role("textbox", name="Caption of 0.png").fill("a cup")
    page.get_by_role("button", name="Save the caption of 0.png").click()
    expect(page.get_by_role("textbox", name="Caption of 0.png")).to_have_value("a cup")
    assert serious(page) == []
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Step 2 of 2")).to_be_visible(timeout=240_000)
    expect(page.get_by_role("heading", name="Done")).to_be_visible(timeout=60_000)
    expect(page.locator(".train-point")).to_have_count(3)
    expect(page.locator(".train-point img").first).to_be_visible()
    expect(page.get_by_role("heading", name="Loss by step")).to_be_visible()
    assert serious(page) == []
    page.get_by_role("button", name="Take the point at step 2").click()
    expect(page.get_by_text("“Blotches” (version 1) can be chosen in Create now.")).to_be_visible()
    page.goto("/train/")
    expect(page.locator(".taught-one")).to_contain_text("Blotches")
    assert serious(page) == []
    page.goto("/")
    page.get_by_role("button", name="More", exact=True).click()
    expect(page.locator(".more-adapters")).to_contain_text("Blotches")
    page.goto("/train/")
    page.get_by_role("button", name="Retire Blotches, version 1").click()
    expect(page.get_by_role("button", name="Offer Blotches, version 1, again")).to_be_visible()
