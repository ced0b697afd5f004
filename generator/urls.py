"""Addresses of making."""

from django.urls import path

from generator.views import create, jobs, prompts

app_name = "generator"
urlpatterns = [
    path("", create.create, name="create"),
    path("create/", create.submit, name="submit"),
    path("estimate/", create.estimate, name="estimate"),
    path("jobs/<uuid:pk>/card/", jobs.card, name="card"),
    path("jobs/<uuid:pk>/previews/<int:index>/<int:step>.webp", jobs.preview, name="preview"),
    path("jobs/<uuid:pk>/cancel/", jobs.cancel, name="cancel"),
    path("jobs/<uuid:pk>/retry/", jobs.retry, name="retry"),
    path("jobs/<uuid:pk>/hide/", jobs.hide, name="hide"),
    path("prompts/", prompts.index, name="prompts"),
    path("prompts/<int:pk>/save/", prompts.save, name="save_prompt"),
    path("prompts/<int:pk>/share/", prompts.share, name="share_prompt"),
    path("prompts/<int:pk>/delete/", prompts.delete, name="delete_prompt"),
]
