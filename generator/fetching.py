"""Getting the files of a model into a folder: from a hub, from the server's own disk, out of a zip. Loads no model.

Each way calls `tell(bytes)` as it goes, which may raise to stop; what has come stays, and the next call goes on there.
"""

import os
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

from django.utils.translation import gettext as _
from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.utils import get_session

Tell = Callable[[int], None]
PIECE = 2**20
WANTED = (".safetensors", ".json", ".txt", ".model")
UNWANTED = ("openvino", "onnx", "flax", "non_ema", "safety_checker")
MAX_FILES = 2000


class CannotFetch(Exception):  # noqa: N818
    """The files cannot be had, or must not be. The message is for whoever asked."""


@dataclass(frozen=True)
class HubFile:
    """A file of a hub's repository; `sha` where the hub knows it."""

    path: str
    size: int
    sha: str


def safe_path(root: Path, name: str) -> Path:
    """Where a file of that name belongs below `root`. CannotFetch for names that lead elsewhere."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or ":" in name or not path.parts:
        raise CannotFetch(_("It holds a file that would land elsewhere (%(name)s).") % {"name": name[:80]})
    return root / path


class Hub:
    """A hub of models, as Hugging Face's. The token goes to no other server."""

    def __init__(self, endpoint: str, token: str) -> None:
        self.endpoint = endpoint or None
        self.token = token or None

    def files(
        self, repository: str, revision: str, *, single: bool, with_config: bool = False
    ) -> tuple[str, list[HubFile]]:
        """(commit, the files that are wanted): all of a diffusers folder, or the one file of weights.

        `with_config`: that one in the topmost folder, with the config.json beside it.
        """
        try:
            info = HfApi(self.endpoint, token=self.token or False).model_info(
                repository, revision=revision or None, files_metadata=True, timeout=30
            )
        except Exception as error:
            says = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            raise CannotFetch(_("The hub does not give it: %(error)s") % {"error": says}) from error
        found = [
            HubFile(one.rfilename, one.size or 0, (one.lfs.sha256 if one.lfs else "") or "")
            for one in info.siblings or []
        ]
        if with_config:
            found = [file for file in found if "/" not in file.path]
        config = [file for file in found if with_config and file.path == "config.json"]
        return str(info.sha), [*_wanted(found, single=single), *config]

    def download(self, repository: str, commit: str, file: HubFile, target: Path, tell: Tell) -> None:
        """One file, from where it stopped; compared with the hub's hash."""
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        there = part.stat().st_size if part.exists() else 0
        tell(there)
        url = hf_hub_url(repository, file.path, revision=commit, endpoint=self.endpoint)
        headers = {"Range": f"bytes={there}-"} if there else {}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if not file.size or there < file.size:
            with get_session().stream("GET", url, headers=headers, follow_redirects=True, timeout=60) as answer:
                if answer.status_code >= 400:
                    raise CannotFetch(_("The hub answers %(status)d.") % {"status": answer.status_code})
                if there and answer.status_code != 206:  # it sends all of it again
                    tell(-there)
                    there = 0
                with part.open("ab" if there else "wb") as opened:
                    for piece in answer.iter_bytes(PIECE):
                        there += len(piece)
                        if file.size and there > file.size:
                            raise CannotFetch(_("“%(name)s” is longer than announced.") % {"name": file.path})
                        opened.write(piece)
                        tell(len(piece))
        if file.sha and hash_of(part) != file.sha:
            part.unlink()
            raise CannotFetch(_("“%(name)s” did not arrive as the hub has it.") % {"name": file.path})
        part.replace(target)


def _wanted(files: list[HubFile], *, single: bool) -> list[HubFile]:
    names = {file.path for file in files}
    useful = [
        file for file in files if file.path.endswith(WANTED) and not any(word in file.path.lower() for word in UNWANTED)
    ]
    if single or "model_index.json" not in names:
        weights = sorted((one for one in useful if one.path.endswith(".safetensors")), key=lambda one: -one.size)
        if not weights:
            raise CannotFetch(_("It has no .safetensors file."))
        return weights[:1]
    inside = [one for one in useful if "/" in one.path or one.path == "model_index.json"]
    plain = {one.path for one in inside if ".fp16." not in one.path}
    return [one for one in inside if ".fp16." not in one.path or one.path.replace(".fp16.", ".") not in plain]


def copy_from(place: str, root: str, target: Path, tell: Tell, total: Callable[[int], None]) -> Path:
    """A copy of a folder or file below `root`. CannotFetch for any other, and where links are among it."""
    if not root:
        raise CannotFetch(_("No folder is set that models may be taken from (MODELS_IMPORT_ROOT)."))
    base = Path(root).resolve()
    source = (base / place).resolve()
    if not source.is_relative_to(base) or not source.exists():
        raise CannotFetch(_("There is nothing at “%(place)s” below the folder for models.") % {"place": place})
    files = sorted(_plain_files(source)) if source.is_dir() else [source]
    total(sum(file.stat().st_size for file in files))
    for file in files:
        aim = target / (file.relative_to(source) if source.is_dir() else file.name)
        aim.parent.mkdir(parents=True, exist_ok=True)
        with file.open("rb") as reading, aim.open("wb") as writing:
            while piece := reading.read(PIECE):
                writing.write(piece)
                tell(len(piece))
    return target if source.is_dir() else target / source.name


def _plain_files(folder: Path) -> list[Path]:
    found = []
    for where, _folders, names in os.walk(folder):
        for name in names:
            path = Path(where, name)
            if path.is_symlink() or not stat.S_ISREG(path.lstat().st_mode):
                raise CannotFetch(_("“%(name)s” is no plain file; links are not followed.") % {"name": path.name})
            found.append(path)
        if len(found) > MAX_FILES:
            raise CannotFetch(_("It holds more than %(n)d files, which no model does.") % {"n": MAX_FILES})
    return found


def unpack(archive: Path, target: Path, tell: Tell, *, most: int) -> None:
    """The files of a zip, at most `most` bytes in all. CannotFetch for names that lead elsewhere, links and bombs."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [one for one in opened.infolist() if not one.is_dir()]
            if len(members) > MAX_FILES or sum(one.file_size for one in members) > most:
                raise CannotFetch(_("The zip claims more than a model can have."))
            for one in members:
                if stat.S_ISLNK(one.external_attr >> 16):
                    raise CannotFetch(_("The zip holds a link (%(name)s).") % {"name": one.filename[:80]})
                aim = safe_path(target, one.filename)
                if aim.suffix.lower() not in WANTED:
                    continue
                aim.parent.mkdir(parents=True, exist_ok=True)
                left = one.file_size
                with opened.open(one) as reading, aim.open("wb") as writing:
                    while piece := reading.read(PIECE):
                        left -= len(piece)
                        if left < 0:
                            raise CannotFetch(_("The zip holds more than it says."))
                        writing.write(piece)
                        tell(len(piece))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise CannotFetch(_("It is no whole zip file.")) from error


def hash_of(file: Path, tell: Tell = lambda _n: None) -> str:
    """SHA-256 of a file."""
    digest = sha256()
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            digest.update(piece)
            tell(0)
    return digest.hexdigest()
