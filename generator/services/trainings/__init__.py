"""Teaching models, for people: pictures with rights, a run that can rest and go on, and what comes of it.

Keyword-only; PermissionDenied for strangers, Refused with a sentence, always before anything is computed.
"""

from generator.services.trainings.comparing import (
    MOST_COMPARED,
    compare_points,
    comparison_cost,
    usual_comparison,
    weights_of,
)
from generator.services.trainings.pictures import (
    MOST_BYTES,
    add_file,
    add_many,
    add_media,
    change_picture,
    learned_from,
    remove_picture,
    state_rights,
)
from generator.services.trainings.planning import Cost, cost_of, plan, time_left
from generator.services.trainings.ready import Readiness, readiness
from generator.services.trainings.results import choose_point, read_sample, retire_adapter, share_adapter
from generator.services.trainings.running import (
    change_training,
    delete_training,
    draft_training,
    new_version,
    pause_training,
    resume_training,
    start_training,
    stop_training,
)
from generator.services.trainings.sets import DataSet, data_sets, draft_scratch

__all__ = [
    "MOST_BYTES",
    "MOST_COMPARED",
    "Cost",
    "DataSet",
    "Readiness",
    "add_file",
    "add_many",
    "add_media",
    "change_picture",
    "change_training",
    "choose_point",
    "compare_points",
    "comparison_cost",
    "cost_of",
    "data_sets",
    "delete_training",
    "draft_scratch",
    "draft_training",
    "learned_from",
    "new_version",
    "pause_training",
    "plan",
    "read_sample",
    "readiness",
    "remove_picture",
    "resume_training",
    "retire_adapter",
    "share_adapter",
    "start_training",
    "state_rights",
    "stop_training",
    "time_left",
    "usual_comparison",
    "weights_of",
]
