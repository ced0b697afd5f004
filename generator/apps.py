from django.apps import AppConfig
from django.db import transaction
from django.db.models.signals import post_delete
from django.utils.translation import gettext_lazy as _

from accounts.signals import account_closed, team_closed
from gallery.signals import who_learned


class GeneratorConfig(AppConfig):
    name = "generator"
    verbose_name = _("Studio")

    def ready(self) -> None:
        """Clears up after people, teams and requests that are gone; says which models have learned from a picture, and
        how a data set is written."""
        from gallery.services.exporting import WRITERS
        from generator.models import Generation, Job, Training, TrainingPicture
        from generator.services import datasets
        from generator.services.datasets.writing import write
        from generator.services.leaving import cancel_all
        from generator.services.trainings import learned_from
        from generator.services.trainings.leftovers import drop_file, drop_folder
        from generator.services.ways import drop_unused_mask

        def of_person(user, **kwargs) -> None:
            cancel_all(Job.objects.filter(owner=user))

        def of_team(team, **kwargs) -> None:
            cancel_all(Job.objects.filter(team=team))

        def of_generation(instance, **kwargs) -> None:
            transaction.on_commit(lambda: drop_unused_mask(instance))

        def of_training(instance, **kwargs) -> None:
            folder = instance.folder  # its key is gone by then
            transaction.on_commit(lambda: drop_folder(folder))

        def of_picture(instance, **kwargs) -> None:
            transaction.on_commit(lambda: drop_file(instance))

        def names_of_learned(user, media, **kwargs) -> list[str]:
            return [f"{one.name} ({one.version})" for one in learned_from(media, user)]

        WRITERS[datasets.KIND] = write
        who_learned.connect(names_of_learned, weak=False, dispatch_uid="generator")
        post_delete.connect(of_training, sender=Training, weak=False, dispatch_uid="generator")
        post_delete.connect(of_picture, sender=TrainingPicture, weak=False, dispatch_uid="generator")
        post_delete.connect(of_generation, sender=Generation, weak=False, dispatch_uid="generator")
        account_closed.connect(of_person, weak=False, dispatch_uid="generator")
        team_closed.connect(of_team, weak=False, dispatch_uid="generator")
