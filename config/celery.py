"""Celery carries wake-ups to the workers; the queue itself is in the database (generator/queue/)."""

import os

from celery import Celery
from celery.beat import EmbeddedService
from celery.signals import setup_logging, worker_ready, worker_shutdown, worker_shutting_down
from celery.worker.consumer import Consumer

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Before torch is loaded: its threads spin while they wait, and crawl where a browser shares the cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

app = Celery("atelier")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["generator", "gallery", "accounts"])


@setup_logging.connect
def keep_logging(**_facts: object) -> None:
    """Django's LOGGING is the worker's too: with a receiver here, Celery leaves levels and handlers alone."""


@worker_ready.connect
def start_worker(sender: Consumer, **_facts: object) -> None:
    """What begins when Celery listens depends on the queues that it was told to serve (`-Q`).

    `atelier`: the sampler and the pulse. Both `atelier` and `light`: a worker for everything, which keeps the time for
    the periodic tasks as well. Celery's own `-B` would fork a process that outlives a killed worker.
    """
    from generator import worker  # needs the apps, which Celery loads after this module

    queues = set(sender.app.amqp.queues.consume_from)
    if "atelier" in queues:
        worker.Worker().start()
    if queues >= {"atelier", "light"}:
        EmbeddedService(sender.app, thread=True).start()


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
