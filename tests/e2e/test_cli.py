"""The command `atelier` against a started studio, as a person or a script calls it."""

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image

from tests.installation import ROOT

FAST = ("--steps", "2")


class Terminal:
    """A person's shell, logged in."""

    def __init__(self, home: Path, **env: str) -> None:
        self.env = {**os.environ, "XDG_CONFIG_HOME": str(home), "PYTHONPATH": str(ROOT), **env}
        self.folder = home

    def start(self, *words: str, **more) -> subprocess.Popen[str]:
        """The command, running."""
        command = [sys.executable, "-m", "atelier_cli", *words]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        heeds_ctrl_c = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # deaf in the background
        return subprocess.Popen(command, cwd=self.folder, env=self.env, text=True, preexec_fn=heeds_ctrl_c, **pipes)

    def run(self, *words: str, says: str = "", status: int = 0) -> tuple[str, str]:
        """(what it printed, what it told beside it), after it has ended with that status."""
        process = self.start(*words, stdin=subprocess.PIPE)
        out, err = process.communicate(says, timeout=120)
        assert process.returncode == status, (out, err)
        assert "Traceback" not in err
        return out, err

    def json(self, *words: str):
        """The result for scripts."""
        return json.loads(self.run(*words, "--json")[0])


@pytest.fixture(scope="module")
def key(studio_at) -> str:
    """Of the administrator."""
    return studio_at.manage("create_api_key", studio_at.administrator[0]).strip()


@pytest.fixture
def shell(studio_at, key, tmp_path) -> Terminal:
    """Logged in as a person does it."""
    opened = Terminal(tmp_path)
    _out, told = opened.run("login", studio_at.url, says=key + "\n")
    assert f"Logged in to {studio_at.url}" in told
    assert key not in told
    return opened


def test_a_wrong_key_is_not_kept(studio_at, tmp_path):
    stranger = Terminal(tmp_path)
    _out, told = stranger.run("login", studio_at.url, says="atl_wrong\n", status=3)
    assert "valid key" in told
    assert "No key is known yet" in stranger.run("models", status=3)[1]


def test_pictures_of_a_prompt(shell):
    asked = ("generate", "a red apple, 3d icon", "-n", "2", "--size", "400x100", "--seed", "7", *FAST, "-o", "made")
    files = shell.run(*asked)[0].splitlines()
    assert len(files) == 2
    for file in files:
        width, height = Image.open(shell.folder / file).size
        assert width == 4 * height
    assert sorted(path.name for path in (shell.folder / "made").iterdir()) == sorted(Path(file).name for file in files)


def test_what_a_script_reads(shell):
    told = shell.json("generate", "a red apple, 3d icon", "--seed", "7", *FAST)
    assert (told["state"], told["seed"], len(told["media"])) == ("done", 7, 1)
    [job] = shell.json("jobs", "-n", "1")
    assert (job["id"], job["state"]) == (told["job"], "done")
    assert shell.json("models")[0]["slug"] == "starter"
    assert "square" in {one["slug"] for one in shell.json("styles")["formats"]}


def test_mistakes_are_told_by_the_option(shell):
    _out, told = shell.run("generate", "an apple", "--count", "9", "--style", "nothing", status=2)
    assert {line.partition(":")[0] for line in told.splitlines()} == {"--count", "--style"}
    assert "You are in no teams called “Nobody”" in shell.run("generate", "an apple", "--team", "Nobody", status=2)[1]


def test_ctrl_c_cancels_the_job(shell):
    leader, follower = pty.openpty()
    process = shell.start("generate", "a red apple, 3d icon", "--steps", "150", "-n", "8", stderr=follower)
    os.close(follower)
    told = ""
    while "Drawing" not in told:
        told += os.read(leader, 4096).decode(errors="replace")
    process.send_signal(signal.SIGINT)
    while "It is cancelled." not in told:
        told += os.read(leader, 4096).decode(errors="replace")
    assert process.wait(60) == 130
    assert "Cancelling job" in told
    os.close(leader)
    assert shell.json("jobs", "-n", "1")[0]["state"] == "cancelled"


def test_a_table_of_prompts(shell):
    (shell.folder / "shoes.csv").write_text("prompt,count,steps,seed\na red shoe,1,2,1\na blue shoe,2,2,2\n")
    assert "Say --yes" in shell.run("batch", "shoes.csv", status=2)[1]
    out, told = shell.run("batch", "shoes.csv", "--yes", "-o", "shoes")
    assert "2 prompts, 3 pictures" in told
    assert len(out.splitlines()) == 3
    assert "red-shoe" in out.splitlines()[0]
    (shell.folder / "shoes.csv").write_text("prompt,style\na red shoe,\na blue shoe,nothing\n")
    assert shell.run("batch", "shoes.csv", "--yes", status=2)[1].startswith("line 3, style: ")


def test_a_batch_that_is_left_and_fetched_later(shell):
    (shell.folder / "shoes.csv").write_text("prompt,steps\na green shoe,2\na pink shoe,2\n")
    batch = shell.run("batch", "shoes.csv", "--yes", "--detach")[0].strip()
    assert batch in shell.run("cancel", batch)[0]
    shell.run("download", "--batch", batch, "-o", "late")


def test_downloads_go_on_and_are_not_repeated(shell):
    [made] = shell.json("generate", "a teapot, 3d icon", *FAST)["media"]
    first = shell.json("download", made["media"], "-o", "again")
    assert [one["new"] for one in first] == [True]
    file = shell.folder / first[0]["file"]
    picture = file.read_bytes()
    digest = hashlib.sha256(picture).hexdigest()
    begun = file.with_name(f".{UUID(made['media']).hex}.{digest}.part")
    begun.write_bytes(picture[:1000])  # as an interrupted download leaves it
    file.unlink()
    assert shell.json("download", made["media"], "-o", "again")[0]["new"]
    assert (file.read_bytes(), begun.exists()) == (picture, False)
    file.write_bytes(b"touched")
    [second] = shell.json("download", "teapot", "--mine", "-o", "again")
    assert (second["new"], file.read_bytes()) == (False, b"touched")
    assert "of the three" in shell.run("download", status=2)[1]


def test_nobody_at_the_address(tmp_path):
    _out, told = Terminal(tmp_path, ATELIER_URL="http://127.0.0.1:9", ATELIER_API_KEY="atl_x").run("models", status=4)
    assert "No studio answers at http://127.0.0.1:9" in told


def test_a_job_is_cancelled_by_its_id(shell):
    job = shell.run("generate", "a red apple, 3d icon", "--steps", "150", "-n", "8", "--detach")[0].strip()
    assert shell.run("cancel", job)[0].startswith(job)
    assert "nothing here" in shell.run("cancel", "00000000-0000-4000-8000-000000000000", status=1)[1]


def test_a_style_is_taught_from_a_folder(shell):
    photos = shell.folder / "photos"
    photos.mkdir()
    for number in range(4):
        Image.effect_noise((160, 160), 20 * (number + 1)).convert("RGB").save(photos / f"{number}.png")
    (photos / "notes.txt").write_text("no picture")
    ours = ("train", "Grain", "photos", "--kind", "style", "--steps", "2", "--seed", "1", "--yes")
    said = ("--rights", "own", "--people", "nobody")
    told = shell.run(*ours, "--rights", "stolen", "--people", "nobody", status=2)[1]
    assert "--rights" in told
    made = shell.json(*ours, *said)
    assert made["adapter"]["name"] == "Grain"
    assert made["point"]["step"] in (1, 2)
    drawn = shell.run("generate", "a cup", "--adapter", made["adapter"]["slug"], *FAST)[0].splitlines()
    assert (shell.folder / drawn[0]).is_file()
    (photos / "3.png").unlink()
    (photos / "2.png").write_bytes(b"no picture")
    assert "no picture that can be read" in shell.run(*ours, *said, status=1)[1]
