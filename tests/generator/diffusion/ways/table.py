"""Which family of models makes pictures in which way: what test_families.py runs, and the table in docs/ways.md.

`python -m tests.generator.diffusion.ways.table` writes that table anew.
"""

from pathlib import Path

DOCS = Path(__file__).parents[4] / "docs" / "ways.md"
BEGIN, END = "<!-- tests/generator/diffusion/ways/table.py -->\n", "<!-- end -->\n"

FAMILIES = {
    "sd1": "Stable Diffusion 1",
    "sd2": "Stable Diffusion 2 (v)",
    "sdxl": "SDXL",
    "turbo": "SDXL Turbo",
    "lcm": "LCM",
    "sd3": "Stable Diffusion 3",
    "flux": "FLUX",
    "pixart": "PixArt-Sigma",
    "sana": "Sana",
    "zimage": "Z-Image",
    "qwen": "Qwen-Image",
}
WAYS = {
    "text": "text",
    "image": "image",
    "inpaint": "inpaint",
    "scene": "scene",
    "outpaint": "outpaint",
    "near": "vary, near",
    "far": "vary, far",
    "hires": "hires",
    "structure": "ControlNet",
    "reference": "IP-Adapter",
}
# What there is no part for, in diffusers or here; a job for it ends with a sentence.
LACKS = {
    **{family: {"reference"} for family in ("sd3", "flux", "qwen", "sana")},
    **{family: {"structure", "reference"} for family in ("zimage", "pixart")},
}
# What diffusers cannot read from one file with the original's names, and the sentence that such a file ends in.
NO_FILE = {
    "lcm": "cannot be read as one file: it lacks weights that its configuration asks for",
    "pixart": "A PixArtTransformer2DModel cannot be loaded from a single file",
}
FROM_FILE = [family for family in FAMILIES if family not in NO_FILE]  # run from one, too
IN_FULL = {"sd1", "sd2"}  # in every way from one file; the others in those that use each part of a pipeline in turn
OF_A_FILE = {"text", "image", "inpaint", "structure", "reference"}
ALONE = {"flux", "sana", "zimage", "qwen"}  # published as nothing but a transformer: the rest is in the folder beside


def ways_of(family: str) -> list[str]:
    """The ways that the tests run for a family."""
    return [way for way in WAYS if way not in LACKS.get(family, set())]


def ways_of_file(family: str) -> list[str]:
    """Those that they run from one file: its weights are the folder's, which test_originals.py sees to."""
    return [way for way in ways_of(family) if family in IN_FULL or way in OF_A_FILE]


def rendered() -> str:
    """The table, in Markdown."""
    rows = [["family", *WAYS.values(), "from one file"], ["---"] * (len(WAYS) + 2)]
    for family, name in FAMILIES.items():
        made = ways_of(family)
        rows.append([name, *("✓" if way in made else "–" for way in WAYS), _from_file(family)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _from_file(family: str) -> str:
    if family in NO_FILE:
        return f"– “{NO_FILE[family]}”"
    return "✓ the transformer" if family in ALONE else "✓"


def written() -> str:
    """docs/ways.md with this table in its place."""
    before, _begin, rest = DOCS.read_text().partition(BEGIN)
    return f"{before}{BEGIN}{rendered()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    DOCS.write_text(written())
