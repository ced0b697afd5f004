"""Likes, stars and words of the pictures that are there already. Colours: manage.py index_gallery, since files are read."""

from collections import defaultdict

from django.db import migrations
from django.db.models import Avg, Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from gallery.models.words import words_of

BATCH = 500


def fill(apps, schema_editor):
    media = apps.get_model("gallery", "Media").objects
    likes = apps.get_model("gallery", "Like").objects.filter(media=OuterRef("pk")).order_by().values("media")
    media.filter(likes__isnull=False).update(like_count=Coalesce(Subquery(likes.annotate(n=Count("pk")).values("n")), 0))
    stars = apps.get_model("gallery", "Rating").objects.filter(media=OuterRef("pk")).order_by().values("media")
    media.filter(ratings__isnull=False).update(stars=Coalesce(Subquery(stars.annotate(n=Avg("stars")).values("n")), 0.0))
    tags = apps.get_model("gallery", "Tag").pictures.through.objects
    last = None
    while True:
        left = media.order_by("pk").filter(**({"pk__gt": last} if last else {}))
        rows = list(left.only("title", "prompt", "recipe", "width", "height", "colours")[:BATCH])
        if not rows:
            return
        named = defaultdict(list)
        for pk, name in tags.filter(media__in=[row.pk for row in rows]).values_list("media", "tag__name"):
            named[pk].append(name)
        for row in rows:
            media.filter(pk=row.pk).update(words=words_of(row, named[row.pk]))
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("gallery", "0006_search")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
