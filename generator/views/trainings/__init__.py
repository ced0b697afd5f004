"""The pages where a team teaches models: what there is, a draft with its pictures, a run with its results."""
