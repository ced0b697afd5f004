"""Which job next. The database is the queue of record; Celery only carries wake-ups (docs/decisions/0001-queue.md)."""

from generator.queue.audit import audit
from generator.queue.capabilities import Ability, ability_of, capable_workers
from generator.queue.claims import claim, gather, is_wanted_elsewhere
from generator.queue.company import ALONE
from generator.queue.holds import holds_on, is_drained
from generator.queue.lately import Kept, moment
from generator.queue.limits import room_for
from generator.queue.line import WAKE_UP, Wish, enter, expired, recover, renew, waiting, wake_workers
from generator.queue.order import move, positions
from generator.queue.outlook import Outlook, outlook, outlooks, outlooks_lately
from generator.queue.pace import FIRST_GUESS, Paces, learn, pace
from generator.queue.shares import open_account

__all__ = [
    "ALONE",
    "FIRST_GUESS",
    "WAKE_UP",
    "Ability",
    "Kept",
    "Outlook",
    "Paces",
    "Wish",
    "ability_of",
    "audit",
    "capable_workers",
    "claim",
    "enter",
    "expired",
    "gather",
    "holds_on",
    "is_drained",
    "is_wanted_elsewhere",
    "learn",
    "moment",
    "move",
    "open_account",
    "outlook",
    "outlooks",
    "outlooks_lately",
    "pace",
    "positions",
    "recover",
    "renew",
    "room_for",
    "waiting",
    "wake_workers",
]
