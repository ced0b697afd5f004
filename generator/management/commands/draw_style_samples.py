"""Draws the sample pictures of the starter's styles into static/img/styles: for maintainers, after a new starter."""

from django.conf import settings
from django.core.management.base import BaseCommand
from PIL import Image

from generator.catalogue import STARTER_FAMILY, STYLES
from generator.diffusion.spec import ImageSpec
from generator.diffusion.starter.assemble import assemble
from generator.diffusion.starter.card import read_card

SUBJECTS = ["a red apple", "a strawberry", "a birthday cake", "a sunflower", "an automobile", "a pizza"]
EDGE = 128


class Command(BaseCommand):
    """`manage.py draw_style_samples [--seed N]`: one subject a style, so that the pictures differ at a glance."""

    help = __doc__

    def add_arguments(self, parser) -> None:
        """Another seed gives other pictures."""
        parser.add_argument("--seed", type=int, default=100)

    def handle(self, *args, seed: int, **options) -> None:
        """Writes one WebP a style."""
        from generator.diffusion.sampling import generate  # torch: only this command of the web side needs it

        card = read_card()
        checkpoint = str(assemble(settings.MODELS_ROOT / "starter"))
        folder = settings.BASE_DIR / "static/img/styles"
        folder.mkdir(parents=True, exist_ok=True)
        styles = [style for style in STYLES if style[4] == [STARTER_FAMILY]]
        for subject, (slug, _name, template, negative, _families) in zip(SUBJECTS, styles, strict=True):
            size = card["native_size"]
            spec = ImageSpec(
                checkpoint=checkpoint,
                prompt=template.replace("{prompt}", subject),
                negative_prompt=negative,
                width=size,
                height=size,
                steps=30,
                guidance=card["guidance"],
                scheduler=card["scheduler"],
                seed=seed,
            )
            picture = generate(spec).images[0].resize((EDGE, EDGE), Image.Resampling.BICUBIC)
            picture.save(folder / f"{slug}.webp", quality=88)
            self.stdout.write(f"{slug}: {spec.prompt}")
