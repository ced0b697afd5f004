"""Making pictures from pictures: what is asked for, whether it may be, and what it is to the engine."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile, File
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from accounts.models import Team, User
from gallery.models import Media
from generator.diffusion.spec import ImageSpec, SpecError, fit_size
from generator.diffusion.ways import geometry
from generator.diffusion.ways.spec import (
    FROM_PICTURE,
    CutoutSpec,
    HiresSpec,
    Margins,
    Mask,
    Outline,
    Picture,
    Reference,
    Start,
    Structure,
    UpscaleSpec,
    Variation,
    Way,
    check_factor,
)
from generator.formats import AS_PICTURE, FORMATS, find_format
from generator.models import Adapter, Generation
from generator.services import guides, scenes
from generator.services.refused import Refused

MOST_MASK_BYTES = 8 * 1024**2


@dataclass(frozen=True)
class Pictures:
    """What a request starts from: pixels in a worker, outlines where it is only looked at."""

    source: Picture | None = None
    mask: Picture | None = None
    structure: Picture | None = None
    reference: Picture | None = None


def outlines(generation: Generation, mask: Picture | None = None) -> Pictures:
    """The pictures of a request by their sizes alone: nothing is read from the storage."""
    if generation.spot:
        canvas = Outline((generation.width, generation.height))
        return Pictures(source=canvas, mask=canvas)
    return Pictures(
        mask=mask or (_outline(generation.source) if generation.mask else None),
        **{name: _outline(getattr(generation, name)) for name in ("source", "structure", "reference")},
    )


def _outline(media: Media | None) -> Outline | None:
    return Outline((media.width, media.height)) if media else None


def load_pictures(generation: Generation) -> Pictures:
    """The pictures of a request, read from the storage. SpecError where one is gone."""
    if generation.spot and generation.source:
        canvas = (generation.width, generation.height)
        whole, around = scenes.lay(_read(generation.source.file), canvas, scenes.Spot(**generation.spot))
        return Pictures(source=whole, mask=around)
    return Pictures(
        mask=_read(generation.mask) if generation.mask else None,
        **{
            name: _read(media.file) if (media := getattr(generation, name)) else None
            for name in ("source", "structure", "reference")
        },
    )


def _read(file: Any) -> Image.Image:
    try:
        with file.open("rb") as opened, Image.open(opened) as image:
            image.load()
            return image
    except FileNotFoundError:
        raise SpecError(_("A picture that this starts from was deleted meanwhile.")) from None


def fill_in(generation: Generation, chosen: dict[str, Any]) -> Image.Image | None:
    """Settles what a way leaves open: mask, format, margins, seeds, size. The mask is returned, not kept yet.

    Raises Refused, SpecError.
    """
    source = generation.source
    if generation.way in FROM_PICTURE and source is None:
        raise Refused(_("Choose a picture to start from."))
    mask = read_mask(chosen["mask"], source) if source and chosen.get("mask") else None
    placement = chosen.get("placement") if generation.way == Way.INPAINT else None
    if generation.way == Way.INPAINT and mask is None and placement is None:
        raise Refused(_("Paint over what is to be made anew."))
    if generation.way == Way.REFERENCE and not (generation.structure or generation.reference):
        raise Refused(_("Choose a picture to go by."))
    if generation.way in (Way.UPSCALE, Way.HIRES, Way.CUTOUT):
        generation.count = 1
    if "format" not in chosen and source is not None:
        generation.format = AS_PICTURE.slug
    if generation.way == Way.OUTPAINT:
        generation.extend = _margins(chosen.get("extend"), source, generation.format)
    if generation.variation_amount is not None and generation.variation_seed is None:
        generation.variation_seed = (generation.seed * 2 + 1) % (2**32)
    generation.width, generation.height = size = _size(generation, chosen.get("aspect"), is_placed=bool(placement))
    if placement and source:
        generation.extend = scenes.spot_of(source, size, placement)
        generation.feather = 0  # nothing of the bare canvas is to show at the outline
    if upscaler := chosen.get("upscaler"):
        guides.add_upscaler(generation, upscaler)
    return mask


def usual(source: Media, way: str) -> dict[str, Any]:
    """What a request goes on with where it does not say otherwise: the settings that made its picture."""
    recipe = source.recipe
    kept = {"prompt": source.prompt}
    if way in (Way.VARY, Way.HIRES):
        kept |= {name: recipe.get(name) for name in ("negative_prompt", "steps", "guidance", "scheduler")}
    if way == Way.VARY:
        kept["seed"] = recipe.get("seed")
    return {name: value for name, value in kept.items() if value not in (None, "")}


def _margins(asked: Margins | str | None, source: Media, slug: str) -> dict[str, int]:
    size = (source.width, source.height)
    if isinstance(asked, Margins):
        return vars(asked).copy()
    wanted = find_format(asked or slug)
    margins = None if wanted is AS_PICTURE else geometry.margins_to(size, wanted.wide, wanted.high)
    if margins is None:
        raise Refused(_("The picture has that format already. Choose a side, or another format."))
    return vars(margins).copy()


def _size(generation: Generation, aspect: tuple[int, int] | None, *, is_placed: bool = False) -> tuple[int, int]:
    """Of the finished picture; `aspect` where nobody's format has these proportions."""
    native, source = generation.checkpoint.native_size, generation.source
    if generation.way in (Way.UPSCALE, Way.HIRES):
        return check_factor((source.width, source.height), generation.factor)
    if generation.way in (Way.INPAINT, Way.CUTOUT) and not is_placed:
        return source.width, source.height
    if generation.way == Way.OUTPAINT:
        return Margins(**generation.extend).around((source.width, source.height))
    if generation.way == Way.VARY and generation.variation_amount is not None:
        return source.width, source.height  # the same noise, so the same size
    if aspect:
        return fit_size(*aspect, native)
    if generation.format == AS_PICTURE.slug and source:
        return fit_size(source.width, source.height, native)
    return FORMATS[generation.format].size(native)


def spec_of(generation: Generation, pictures: Pictures, *, checkpoint: str, words: tuple[str, str]) -> geometry.Spec:
    """What the engine is asked for; `words` are prompt and negative prompt in their style. Raises SpecError."""
    if generation.lacks_its_picture:
        raise SpecError(_("A picture that this starts from was deleted meanwhile."))
    if generation.way == Way.UPSCALE:
        model = guides.upscaler_of(generation)
        return UpscaleSpec(image=_given(pictures.source), factor=generation.factor, model=model)
    if generation.way == Way.CUTOUT:
        return CutoutSpec(image=_given(pictures.source))
    native = generation.checkpoint.native_size
    is_tiled = generation.way == Way.HIRES
    drawn = ImageSpec(
        checkpoint=checkpoint,
        prompt=words[0],
        negative_prompt=words[1],
        width=native if is_tiled else generation.width,
        height=native if is_tiled else generation.height,
        count=generation.count,
        steps=generation.steps,
        guidance=generation.guidance,
        seed=generation.seed,
        scheduler=generation.scheduler,
        native=native,
        **_parts(generation, pictures),
    )
    if not is_tiled:
        return drawn
    return HiresSpec(draw=drawn, factor=generation.factor, upscaler=guides.upscaler_of(generation))


def _given(picture: Picture | None) -> Picture:
    if picture is None:
        raise SpecError(_("A picture that this starts from was deleted meanwhile."))
    return picture


def _parts(generation: Generation, pictures: Pictures) -> dict[str, Any]:
    """The parts of an ImageSpec beyond text."""
    parts: dict[str, Any] = {}
    is_near = generation.way == Way.VARY and generation.variation_amount is not None
    if generation.way in FROM_PICTURE and not is_near:
        parts["start"] = Start(image=_given(pictures.source), strength=generation.strength)
    if is_near and generation.variation_seed is not None and generation.variation_amount is not None:
        parts["variation"] = Variation(seed=generation.variation_seed, amount=generation.variation_amount)
    if pictures.mask:
        parts["mask"] = Mask(image=pictures.mask, feather=generation.feather)
    if generation.extend and not generation.spot:
        parts["margins"] = Margins(**generation.extend)
    if generation.structure_id:
        parts["structure"] = Structure(
            image=_given(pictures.structure),
            kind=generation.structure_kind,
            model=guides.source_of_guide(generation, Adapter.Kind.CONTROLNET),
            scale=generation.structure_scale,
        )
    if generation.reference_id:
        model = guides.source_of_guide(generation, Adapter.Kind.IP_ADAPTER)
        parts["reference"] = Reference(image=_given(pictures.reference), model=model, scale=generation.reference_scale)
    return parts


def recipe_of(generation: Generation, index: int) -> dict[str, Any]:
    """What a way adds to the recipe of its picture `index`, as plain JSON; pictures by their ids."""
    facts: dict[str, Any] = {}
    if generation.source_id:
        facts["source"] = str(generation.source_id)
        is_near = generation.variation_amount is not None
        if generation.draws and not is_near:
            facts["strength"] = generation.strength
        if is_near and generation.variation_seed is not None:
            facts["variation"] = {"seed": generation.variation_seed + index, "amount": generation.variation_amount}
    if generation.mask:
        facts["feather"] = generation.feather
    if generation.extend:
        facts["spot" if generation.spot else "margins"] = generation.extend
    if generation.factor > 1:
        facts["factor"] = generation.factor
        if upscaler := guides.upscaler_entry(generation):
            facts["upscaler"] = upscaler
    if generation.structure_id:
        kind, scale = generation.structure_kind, generation.structure_scale
        facts["structure"] = {"source": str(generation.structure_id), "kind": kind, "scale": scale}
    if generation.reference_id:
        facts["reference"] = {"source": str(generation.reference_id), "scale": generation.reference_scale}
    return facts


def check_pictures(generations: Sequence[Generation], *, user: User, team: Team) -> None:
    """PermissionDenied unless `user` may go on with every picture that the requests start from, in `team`."""
    wanted = {pk for one in generations for pk in (one.source_id, one.structure_id, one.reference_id) if pk is not None}
    if wanted and Media.objects.reusable_by(user, team).filter(pk__in=wanted).count() < len(wanted):
        raise PermissionDenied


def read_mask(file: File | bytes, source: Media) -> Image.Image:
    """A mask as one channel, white where the picture is made anew. Raises Refused for what cannot be one.

    Of a picture with an alpha channel what is clear counts as white, as in OpenAI's edits.
    """
    data = file if isinstance(file, bytes) else file.read(MOST_MASK_BYTES + 1)
    if len(data) > MOST_MASK_BYTES:
        raise Refused(_("The mask is too large."))
    size = (source.width, source.height)
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.size != size:
                raise Refused(
                    _("The mask is %(mask)s pixels, the picture %(picture)s: both must be of one size.")
                    % {"mask": "{} × {}".format(*image.size), "picture": "{} × {}".format(*size)}
                )
            has_alpha = "A" in image.getbands() or "transparency" in image.info
            mask = ImageOps.invert(image.convert("RGBA").getchannel("A")) if has_alpha else image.convert("L")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise Refused(_("The mask is no PNG that can be read.")) from error
    if mask.getbbox() is None:
        raise Refused(_("The mask is empty. Paint over what is to be made anew."))
    return mask


def keep_mask(generation: Generation, mask: Image.Image) -> None:
    """Writes the mask of a request into the storage."""
    buffer = io.BytesIO()
    mask.save(buffer, "PNG", optimize=True)
    generation.mask.save("mask.png", ContentFile(buffer.getvalue()), save=False)


def drop_mask(generation: Generation) -> None:
    """Removes the mask of a request that has come to nothing."""
    if generation.mask:
        generation.mask.delete(save=False)


def drop_unused_mask(generation: Generation) -> None:
    """Removes the mask of a request whose row is gone, unless the request was tried again with the same mask."""
    if generation.mask and not Generation.objects.filter(mask=generation.mask.name).exists():
        drop_mask(generation)
