"""The command on a machine that has no studio."""

import subprocess
import sys
import tomllib

from tests.installation import ROOT


def test_it_brings_no_studio_along():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"] == []
    code = "import sys, atelier_cli.app; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"django", "celery", "torch", "PIL"}.isdisjoint(loaded.split())
    assert {"httpx", "typer"} <= {*loaded.split()}
