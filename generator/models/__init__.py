"""Making: jobs and what they need."""

from generator.models.checkpoint import Checkpoint
from generator.models.generation import Generation
from generator.models.job import Job, State
from generator.models.preset import StylePreset
from generator.models.prompt import Prompt
from generator.models.queue import QueueAccount
from generator.models.worker import Worker

__all__ = ["Checkpoint", "Generation", "Job", "Prompt", "QueueAccount", "State", "StylePreset", "Worker"]
