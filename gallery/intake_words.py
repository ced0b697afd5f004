"""What gallery.intake says in codes, in the words of the person who brought the file."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


def reason_in_words(code: str, facts: dict[str, Any] | None = None) -> str:
    """Why a file was not taken, and what to do."""
    facts = facts or {}
    words = {
        "too-many-pixels": _("It has more pixels than can be taken: at most %(most)s million. Make it smaller first."),
        "cut-off": _("The file is cut off: its end is missing. Copy or download it once more."),
        "broken": _("The file is broken, or no picture behind its first bytes."),
        "metadata": _("What is written beside the picture is far too large. Save it without metadata."),
        "memory": _("It takes too much memory to open. Save it again in another program."),
        "time": _("It takes too long to open. Save it again in another program."),
        "crash": _("It could not be opened safely. Save it again in another program."),
        "damaged": _("It arrived damaged. Bring it once more."),
        "empty": _("The file is empty."),
        "svg": _("SVG files can hold programs and are not taken. Export it as PNG."),
        "web-page": _("This is a web page, not a picture."),
        "heic": _("HEIC is not read here. Save it as JPEG or AVIF."),
        "film": _("This is a film, not a picture."),
        "pdf": _("PDF is not read here. Export the page as PNG or JPEG."),
        "dicom-packed": _(
            "It is packed in a way that is not read here. Save it without compression, or as JPEG inside."
        ),
        "photoshop": _("Photoshop files are not read here. Export it as PNG or JPEG."),
        "no-picture": _("This is no picture that is read here: PNG, JPEG, WebP, AVIF, GIF, TIFF, BMP or DICOM."),
        "no-font": _("This is no font that can be used: TTF, OTF or WOFF2."),
        "colours": _("Its kind of colours (%(mode)s) is not read here. Save it as RGB."),
        "too-large": _("It is larger than %(most)s MB."),
        "archive": _("A zip within a zip is not opened. Unpack it first."),
        "archive-broken": _("The zip is broken here, or packed in a way that is not read."),
        "archive-entries": _("The zip holds %(n)s files; at most %(most)s are taken at once."),
        "archive-empty": _("There is no file in this zip."),
        "archive-path": _("Its name leads out of the zip. It was not touched."),
        "archive-link": _("It is a link to another file. It was not followed."),
        "archive-secret": _("It is protected by a password. Unpack it first."),
        "archive-bomb": _("It would become enormous when unpacked. It was not opened."),
    }
    return words.get(code, words["broken"]) % facts


def note_in_words(code: str, facts: dict[str, Any] | None = None) -> str:
    """What was changed or left behind, or found."""
    facts = facts or {}
    if code == "archive":
        return ngettext("%(n)d file was in it.", "%(n)d files were in it.", facts["n"]) % facts
    words = {
        "wrong-extension": _("Its name says another format than it has."),
        "animated": _("It moves: only its first picture was taken."),
        "turned": _("Turned upright, as the camera noted."),
        "16-bit": _("Brought from 16 to 8 bits a colour."),
        "cmyk": _("Brought from CMYK to RGB."),
        "dicom": _("Its pixels alone were taken: nothing of what the file says of the patient is kept."),
        "dicom-written": _(
            "The file says that something is written into the picture itself: look whether it names somebody."
        ),
        "profile": _("Brought to sRGB by its colour profile."),
        "profile-broken": _("Its colour profile is broken and was ignored."),
        "known": _("It is here already."),
        "history": _("Its settings were read (%(program)s)."),
    }
    return words[code] % facts
