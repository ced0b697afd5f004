"""The demo: teams, people, pictures and jobs to look at, made by `manage.py seed_demo`."""
