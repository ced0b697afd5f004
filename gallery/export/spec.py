"""What is wanted of an export, as frozen dataclasses that go to JSON and back."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

PLACES = ("top-left", "top", "top-right", "left", "middle", "right", "bottom-left", "bottom", "bottom-right")
CENTRE = (0.5, 0.5)


@dataclass(frozen=True, kw_only=True)
class LogoLayer:
    """The team's mark in a corner. `size`: its longer side in percent of the picture's shorter one."""

    place: str = "bottom-right"
    size: int = 18
    opacity: int = 100


@dataclass(frozen=True, kw_only=True)
class TextLayer:
    """A line or two on the picture. `font`: the id of a brand font, "" for the studio's own; sizes as of LogoLayer."""

    text: str
    place: str = "bottom-left"
    size: int = 8
    colour: str = "#ffffff"
    shade: str = ""  # a colour to stand behind the words, or ""
    font: str = ""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """Everything that an export was asked to be. Ids are text, so that it can be kept as JSON."""

    media: tuple[str, ...]
    channels: tuple[int, ...]
    format: str = ""  # "": each channel's own
    quality: int | None = None  # None: each channel's own
    max_kb: int | None = None
    naming: str = "{title}-{channel}-{n}"
    enlarge: bool = False  # whether pictures that are too small for a channel are made larger, or left out
    credits: bool = True  # whether files say in their metadata who made them and under which licence
    focus: dict[str, tuple[float, float]] = field(default_factory=dict)  # "media:channel" -> point
    logo: LogoLayer | None = None
    text: TextLayer | None = None

    def focus_of(self, media: object, channel: object) -> tuple[float, float]:
        """The point that this crop keeps."""
        x, y = self.focus.get(f"{media}:{channel}", CENTRE)
        return float(x), float(y)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Wishes":
        """Back from `as_json`; what an earlier version kept and this one does not know is left out."""
        known = {f.name: data[f.name] for f in fields(cls) if f.name in data}
        known["media"], known["channels"] = tuple(known["media"]), tuple(known["channels"])
        if known.get("logo"):
            known["logo"] = LogoLayer(**known["logo"])
        if known.get("text"):
            known["text"] = TextLayer(**known["text"])
        return cls(**known)
