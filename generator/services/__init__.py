"""The only writers of jobs outside a worker. Keyword-only; PermissionDenied for strangers, Refused with a sentence."""

from generator.services.assets import (
    LicenceNotAccepted,
    accept_licence,
    choose_adapters,
    is_accepted,
    set_model_policy,
    sources_of,
    with_adapters,
)
from generator.services.batches import (
    BatchEstimate,
    cancel_batch,
    check_size,
    create_batch,
    estimate_batch,
    hide_batch,
    move_batch,
    pause_batch,
    prepare_row,
    resume_batch,
    retry_failed,
)
from generator.services.creating import (
    Estimate,
    check_room,
    cost_of,
    create_generation,
    estimate,
    prepare,
    spec_of,
)
from generator.services.guides import STYLE, guides_of_each, ways_of
from generator.services.holds import (
    hold_everything,
    hold_person,
    hold_team,
    hold_worker,
    may_run_queue,
    release,
)
from generator.services.intakes import PIECE as INTAKE_PIECE
from generator.services.intakes import add_piece, begin_intake, cancel_intake, retry_intake
from generator.services.jobs import cancel_job, hide_job, move_job, pause_job, refund, resume_job, retry_job, shift_job
from generator.services.prompts import delete_prompt, save_prompt, share_prompt
from generator.services.refused import Refused
from generator.services.scenes import Placement
from generator.services.styles import add_style, change_style, draw_sample, retire_style
from generator.services.ways import load_pictures, read_mask, recipe_of
from generator.services.words import delete_words, save_template, save_words

__all__ = [
    "INTAKE_PIECE",
    "STYLE",
    "BatchEstimate",
    "Estimate",
    "LicenceNotAccepted",
    "Placement",
    "Refused",
    "accept_licence",
    "add_piece",
    "add_style",
    "begin_intake",
    "cancel_batch",
    "cancel_intake",
    "cancel_job",
    "change_style",
    "check_room",
    "check_size",
    "choose_adapters",
    "cost_of",
    "create_batch",
    "create_generation",
    "delete_prompt",
    "delete_words",
    "draw_sample",
    "estimate",
    "estimate_batch",
    "guides_of_each",
    "hide_batch",
    "hide_job",
    "hold_everything",
    "hold_person",
    "hold_team",
    "hold_worker",
    "is_accepted",
    "load_pictures",
    "may_run_queue",
    "move_batch",
    "move_job",
    "pause_batch",
    "pause_job",
    "prepare",
    "prepare_row",
    "read_mask",
    "recipe_of",
    "refund",
    "release",
    "resume_batch",
    "resume_job",
    "retire_style",
    "retry_failed",
    "retry_intake",
    "retry_job",
    "save_prompt",
    "save_template",
    "save_words",
    "set_model_policy",
    "share_prompt",
    "shift_job",
    "sources_of",
    "spec_of",
    "ways_of",
    "with_adapters",
]
