"""Making: jobs and what they need."""

from generator.models.asset import Adapter, Asset, CommercialUse, LicenceAcceptance, ModelPolicy
from generator.models.batch import Batch
from generator.models.checkpoint import Checkpoint
from generator.models.generation import Generation
from generator.models.hold import Hold
from generator.models.intake import Intake
from generator.models.job import FINISHED, Job, State
from generator.models.pace import StepTime
from generator.models.preset import StylePreset, StyleVersion
from generator.models.prompt import Prompt
from generator.models.queue import QueueAccount, QueueClass, QueueLane, QueueTeam
from generator.models.tally import Tally
from generator.models.training import Training, TrainingPicture
from generator.models.words import PromptTemplate, WordList
from generator.models.worker import Worker

__all__ = [
    "FINISHED",
    "Adapter",
    "Asset",
    "Batch",
    "Checkpoint",
    "CommercialUse",
    "Generation",
    "Hold",
    "Intake",
    "Job",
    "LicenceAcceptance",
    "ModelPolicy",
    "Prompt",
    "PromptTemplate",
    "QueueAccount",
    "QueueClass",
    "QueueLane",
    "QueueTeam",
    "State",
    "StepTime",
    "StylePreset",
    "StyleVersion",
    "Tally",
    "Training",
    "TrainingPicture",
    "WordList",
    "Worker",
]
