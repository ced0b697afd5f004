"""Medical pictures (DICOM, PS3.10): their pixels as they are meant to be looked at, and nothing else of what stands in
the file, which is the patient's."""

from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.pixels import apply_modality_lut, pixel_array

from gallery.intake.unfit import MOST_PIXELS, Unfit


def read_dicom(path: Path, notes: list[str]) -> Image.Image:
    """The first frame: L or RGB. Grey values go through the modality's table (PS3.3, C.11.1) and the window that the
    file names (C.11.2.1.2), or are stretched from the least to the most. Unfit where there is none to be read."""
    try:
        said = dcmread(path, stop_before_pixels=True)
        width, height = int(said.Columns), int(said.Rows)
    except (InvalidDicomError, AttributeError, TypeError, ValueError, EOFError, OSError) as error:
        raise Unfit("broken") from error
    if width * height > MOST_PIXELS:
        raise Unfit("too-many-pixels", width=width, height=height, most=MOST_PIXELS // 1_000_000)
    try:
        values = pixel_array(path, index=0)
    except (RuntimeError, NotImplementedError) as error:  # no decoder for how it is packed
        raise Unfit("dicom-packed") from error
    except (AttributeError, ValueError, TypeError, EOFError, OSError, KeyError, IndexError) as error:
        raise Unfit("cut-off") from error
    notes.append("dicom")
    if int(said.get("NumberOfFrames", 1) or 1) > 1:
        notes.append("animated")
    if str(said.get("BurnedInAnnotation", "")).upper() == "YES":
        notes.append("dicom-written")
    if values.ndim == 3:
        return Image.fromarray(values.astype(np.uint8), "RGB")
    if int(said.get("BitsStored", 8) or 8) > 8:
        notes.append("16-bit")
    return Image.fromarray(_as_seen(values, said))


def _as_seen(values: np.ndarray, said: Dataset) -> np.ndarray:
    """[H, W] stored values -> uint8."""
    try:
        meant = np.asarray(apply_modality_lut(values, said), np.float64)
    except (AttributeError, ValueError, TypeError, KeyError, IndexError, NotImplementedError):
        meant = np.asarray(values, np.float64)
    window = _window(said)
    if window is None:
        low, high = float(meant.min()), float(meant.max())
        shades = (meant - low) / (high - low) if high > low else np.zeros_like(meant)
    else:
        center, width = window
        shades = ((meant - (center - 0.5)) / (width - 1) + 0.5).clip(0, 1)
    if said.get("PhotometricInterpretation") == "MONOCHROME1":  # where the least is white
        shades = 1 - shades
    return np.round(shades * 255).astype(np.uint8)


def _window(said: Dataset) -> tuple[float, float] | None:
    """(center, width) of the first one, where it makes sense."""
    try:
        center, width = (
            float(value[0] if isinstance(value, MultiValue) else value)
            for value in (said.WindowCenter, said.WindowWidth)
        )
    except (AttributeError, TypeError, ValueError, IndexError):
        return None
    return (center, width) if width > 1 else None
