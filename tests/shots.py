"""`make shots [ONLY=names]`: every page at three widths in both themes, empty and filled, in shots/. To be looked at.

Besides the pages, shots/sheet-*.png show all of them at one width in one theme side by side. ONLY takes beginnings of
names, by commas. A page that fails, or a script that does, is named at the end, and the exit status is 1.
"""

import argparse
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.conftest import FLAGS, PASSWORD
from tests.installation import ROOT, Installation, running
from tests.requirements import find_chromium

WIDTHS = {390: 844, 834: 1112, 1440: 900}
THEMES = ("light", "dark")
LONGEST = 2  # screens of a long page that are shown
DEMO = ("seed_demo", "--pictures", "72", "--steps", "8")
SHEET, COLUMNS = 300, 8  # pixels across of a page on a contact sheet, and how many pages stand beside each other

STRANGER = {
    "sign-in": "/account/login/",
    "reset": "/account/password/reset/",
    "sign-up": "/account/signup/",
    "invitation-over": "/invitation/unknown/",
    "share-over": "/s/unknown/",
}
MEMBER = {
    "create": "/",
    "batch-new": "/batches/new/",
    "prompts": "/prompts/",
    "queue": "/queue/",
    "gallery": "/gallery/",
    "gallery-team": "/gallery/?tab=team",
    "gallery-search": "/gallery/?q=pink",
    "gallery-meaning": "/gallery/?q=dessert&meaning=1",
    "trash": "/gallery/trash/",
    "albums": "/albums/",
    "export-none": "/export/",
    "exports": "/exports/",
    "import": "/import/",
    "review": "/review/",
    "links": "/links/",
    "notices": "/notices/",
    "activity": "/activity/",
    "team": "/team/",
    "team-webhooks": "/team/webhooks/",
    "team-standards": "/team/standards/",
    "styles": "/team/styles/",
    "style-new": "/team/styles/new/",
    "words": "/team/words/",
    "train": "/train/",
    "train-subject": "/train/new/subject/",
    "train-style": "/train/new/style/",
    "account-profile": "/account/profile/",
    "account-password": "/account/password/change/",
    "account-second-factor": "/account/2fa/",
    "account-sessions": "/account/sessions/",
    "account-keys": "/account/keys/",
    "account-close": "/account/close/",
    "not-found": "/nothing-here/",
}
ADMIN = {
    "admin": "/admin/",
    "admin-system": "/admin/system/",
    "admin-jobs": "/admin/generator/job/",
    "admin-workers": "/admin/generator/worker/",
    "admin-holds": "/admin/generator/hold/",
    "admin-models": "/admin/generator/checkpoint/",
    "admin-model": "/admin/generator/checkpoint/1/change/",
    "admin-styles": "/admin/generator/stylepreset/",
    "admin-people": "/admin/accounts/user/",
    "admin-person": "/admin/accounts/user/1/change/",
    "admin-teams": "/admin/accounts/team/",
    "admin-invitations": "/admin/accounts/invitation/",
    "admin-keys": "/admin/accounts/apikey/",
    "admin-webhooks": "/admin/accounts/webhook/",
    "admin-deliveries": "/admin/accounts/delivery/",
    "admin-usage": "/admin/accounts/usage/",
    "admin-pictures": "/admin/gallery/media/",
    "admin-albums": "/admin/gallery/album/",
    "admin-reviews": "/admin/gallery/review/",
}
# Pages of one thing: the first link that matches on another page.
FOUND = {
    "picture": ("/gallery/", "figure.tile a"),
    "edit": ("/gallery/", ".tile-menu a[href$='way=vary']"),
    "album": ("/albums/", "main a[href^='/albums/']"),
    "style": ("/team/styles/", "main a[href^='/team/styles/']:not([href$='/new/'], [href$='/styles/'])"),
    "job": ("/", ".job[data-state=failed] a[href^='/jobs/']"),
    "training": ("/train/", ".taught-one a[href^='/train/']"),
    "training-draft": ("/train/", ".run-line a:text('Menu style')"),
    "batch": ("/", "a[href^='/batches/']:not([href*=new])"),
    "admin-job-failed": ("/admin/generator/job/?state__exact=failed", "#result_list a[href*='/change/']"),
}
# The page of a link: its address is told once, when it is made.
SHARE = """
from gallery.models import Album
from gallery.services import make_link
album = Album.objects.get(name="Autumn menu")
print(f"/s/{make_link(user=album.owner, album=album, name='Shots')[1]}/")
"""
# Everything on it, painted: fonts, and pictures as far down as they are shown.
SETTLED = """async (height) => {
  await document.fonts.ready;
  const seen = [...document.images].filter((i) => i.getBoundingClientRect().top < height);
  const each = seen.map((i) => { i.loading = "eager"; return i.decode().catch(() => {}); });
  await Promise.race([Promise.all(each), new Promise((done) => setTimeout(done, 3000))]);
}"""


class Camera:
    """Takes the pictures of one signed-in person, and remembers what went wrong."""

    def __init__(self, page: Page, folder: Path, only: tuple[str, ...]) -> None:
        self.page, self.folder, self.only = page, folder, only
        self.troubles: list[str] = []
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.troubles.append(f"{page.url}: {error}"))
        page.on("response", self._look_at)

    def _look_at(self, response) -> None:
        if response.status >= 500 and not response.url.endswith("/readyz"):
            self.troubles.append(f"{response.url}: {response.status}")

    def shoot(self, pages: dict[str, str], state: str) -> None:
        """Every page in every theme at every width."""
        for name, address in pages.items():
            if not self.only or name.startswith(self.only):
                try:
                    self._shoot_one(f"{name}-{state}", address)
                except Exception as error:  # one page that never settles must not hide all others
                    self.troubles.append(f"{address}: {error}")

    def _shoot_one(self, name: str, address: str) -> None:
        for theme in THEMES:
            self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            self.page.set_viewport_size({"width": 1440, "height": 900})
            self.page.goto(address, wait_until="load")
            for width, height in WIDTHS.items():
                self.page.set_viewport_size({"width": width, "height": height})
                self.page.evaluate(SETTLED, height * LONGEST)
                # A taller window, not a picture beyond the window: what is fixed to its foot stays at the foot.
                long = self.page.evaluate("document.documentElement.scrollHeight")
                self.page.set_viewport_size({"width": width, "height": max(height, min(long, height * LONGEST))})
                self.page.screenshot(path=self.folder / f"{name}-{width}-{theme}.png")
                if (wide := self.page.evaluate("document.documentElement.scrollWidth")) > width:
                    self.troubles.append(f"{address}: {wide} pixels wide in a window of {width}")

    def find(self, start: str, link: str) -> str | None:
        """The address of the first such link of a page; None where there is none."""
        self.page.goto(start, wait_until="load")
        found = self.page.locator(link)
        return found.first.get_attribute("href") if found.count() else None


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


def work_in_the_demo(page: Page) -> None:
    """Changes to the demo's team."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/team/")
    page.get_by_role("button", name=re.compile("Work here.*Northlight")).click()
    expect(page.get_by_label("Prompt", exact=True)).to_be_visible()


def take_all(browser: Browser, installation: Installation, folder: Path, only: tuple[str, ...]) -> list[str]:
    """Strangers' pages, everything empty, then everything with the demo in it. Returns what went wrong."""
    camera = Camera(browser.new_context(base_url=installation.url).new_page(), folder, only)
    camera.shoot(STRANGER, "stranger")
    sign_in(camera.page, installation)
    camera.shoot({**MEMBER, "admin": "/admin/", "admin-jobs": ADMIN["admin-jobs"]}, "empty")
    installation.manage(*DEMO)
    work_in_the_demo(camera.page)
    camera.page.set_viewport_size({"width": 1440, "height": 900})
    found = {name: camera.find(*where) for name, where in FOUND.items()}
    if picture := found["picture"]:
        found["export"] = f"/export/?media={picture.split('/')[2]}"
        found["edit"] = f"/edit/{picture.split('/')[2]}/"
    if draft := found["training-draft"]:
        found["training-gallery"] = f"{draft}gallery/"
    found["shared"] = installation.manage("shell", "-c", SHARE).split()[-1]
    camera.shoot({**MEMBER, **{name: address for name, address in found.items() if address}, **ADMIN}, "filled")
    if not only or "emerging".startswith(only):
        emerging(camera.page, folder)
    return camera.troubles


def emerging(page: Page, folder: Path) -> None:
    """The Create page while four pictures come out of the noise."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto("/#prompt=3d+render+of+a+sunflower+on+a+pink+background&count=4&steps=60")
        page.get_by_role("button", name="Generate").click()
        page.get_by_text(re.compile(r"step [1-5]\d of 60")).first.wait_for(timeout=60_000)
        page.screenshot(path=folder / f"create-emerging-1440-{theme}.png")
        page.locator(".job[data-state=done]").first.wait_for(timeout=300_000)


def sheets(folder: Path) -> Iterator[Path]:
    """All pages of one width and theme on one sheet, filled ones and empty ones apart."""
    for width in WIDTHS:
        for theme in THEMES:
            for state in ("empty", "filled"):
                paths = sorted(folder.glob(f"*-{state}-{width}-{theme}.png"))
                if paths:
                    yield _sheet(paths, folder / f"sheet-{state}-{width}-{theme}.png")


def _sheet(paths: list[Path], target: Path) -> Path:
    small = []
    for path in paths:
        with Image.open(path) as picture:
            small.append(picture.convert("RGB").resize((SHEET, picture.height * SHEET // picture.width)))
    rows = [small[start : start + COLUMNS] for start in range(0, len(small), COLUMNS)]
    heights = [max(picture.height for picture in row) + 24 for row in rows]
    sheet = Image.new("RGB", (SHEET * COLUMNS + 8 * COLUMNS, sum(heights)), "#777")
    pen, top = ImageDraw.Draw(sheet), 0
    for number, (row, height) in enumerate(zip(rows, heights, strict=True)):
        for column, picture in enumerate(row):
            pen.text((column * (SHEET + 8), top + 5), paths[number * COLUMNS + column].stem, fill="white")
            sheet.paste(picture, (column * (SHEET + 8), top + 20))
        top += height
    sheet.save(target)
    return target


def main() -> int:
    """Writes shots/*.png and says how many, how long it took, and what went wrong."""
    parser = argparse.ArgumentParser(prog="tests.shots", description=__doc__)
    parser.add_argument("--only", default="")
    only = tuple(word.strip() for word in parser.parse_args().only.split(",") if word.strip())
    folder = ROOT / "shots"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    started = time.monotonic()
    with running(PICTURES_PER_DAY="5000") as installation, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        troubles = take_all(browser, installation, folder, only)
        browser.close()
    number = len(list(folder.glob("*.png")))
    made = list(sheets(folder))
    took = time.monotonic() - started
    sys.stdout.write(f"{number} pictures and {len(made)} sheets in {folder}, in {took:.0f} s\n")
    for trouble in dict.fromkeys(troubles):
        sys.stderr.write(f"went wrong: {trouble}\n")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
