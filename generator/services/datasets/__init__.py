"""Pictures of a finished batch as a data set that others can learn from, without copies of what was learned from."""

from generator.services.datasets.asking import KIND, LEAST, MOST, USUAL, Offer, export_data_set, offer
from generator.services.datasets.origins import Origin

__all__ = ["KIND", "LEAST", "MOST", "USUAL", "Offer", "Origin", "export_data_set", "offer"]
