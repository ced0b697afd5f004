"""Celery carries wake-ups to the workers; the queue itself is in the database (generator/queue.py)."""

import os

from celery import Celery
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Before torch is loaded: its threads spin while they wait, and crawl where a browser shares the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

app = Celery("atelier")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["generator"])


@worker_ready.connect
def start_worker(**_facts: object) -> None:
    """The sampler and the pulse begin when Celery listens."""
    from generator import worker  # needs the apps, which Celery loads after this module

    worker.Worker().start()


@worker_shutting_down.connect
def ask_worker_to_stop(**_facts: object) -> None:
    """Runs in the signal's handler: no waiting, no database."""
    from generator import worker

    if current := worker.current():
        current.ask_to_stop()


@worker_shutdown.connect
def stop_worker(**_facts: object) -> None:
    """The last thing: the running job has gone back in line, the worker leaves the list.

    Nothing is left to do then, and taking torch down in good order would cost another second or two.
    """
    from generator import worker

    if current := worker.current():
        current.stop()
        os._exit(os.EX_OK)
