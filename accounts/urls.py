"""Addresses of the pages about people."""

from django.urls import path

from accounts.views import api_keys, closing, invitations, profile, sessions, team, webhooks

app_name = "accounts"
urlpatterns = [
    path("account/profile/", profile.profile, name="profile"),
    path("account/theme/", profile.theme, name="theme"),
    path("account/sessions/", sessions.sessions, name="sessions"),
    path("account/sessions/others/end/", sessions.end_others, name="end_other_sessions"),
    path("account/sessions/<int:pk>/end/", sessions.end, name="end_session"),
    path("account/close/", closing.close, name="close_account"),
    path("account/keys/", api_keys.api_keys, name="api_keys"),
    path("account/keys/<int:pk>/revoke/", api_keys.revoke, name="revoke_api_key"),
    path("invitation/<str:token>/", invitations.invitation, name="invitation"),
    path("team/", team.team, name="team"),
    path("team/create/", team.create, name="create_team"),
    path("team/switch/", team.switch, name="switch"),
    path("team/webhooks/", webhooks.webhooks, name="webhooks"),
    path("team/webhooks/<uuid:pk>/", webhooks.webhook, name="webhook"),
    path("team/webhooks/<uuid:pk>/switch/", webhooks.switch, name="switch_webhook"),
    path("team/webhooks/<uuid:pk>/secret/", webhooks.renew, name="renew_webhook"),
    path("team/webhooks/<uuid:pk>/test/", webhooks.test, name="test_webhook"),
    path("team/webhooks/<uuid:pk>/delete/", webhooks.delete, name="delete_webhook"),
    path("team/webhooks/<uuid:pk>/<uuid:delivery>/again/", webhooks.redeliver, name="redeliver"),
    path("team/<uuid:pk>/invite/", team.invite, name="invite"),
    path("team/<uuid:pk>/rename/", team.rename, name="rename_team"),
    path("team/<uuid:pk>/leave/", team.leave, name="leave_team"),
    path("team/<uuid:pk>/shares/", team.shares, name="shares"),
    path("team/<uuid:pk>/hand-over/", team.hand_over, name="hand_over_team"),
    path("team/<uuid:pk>/close/", team.close, name="close_team"),
    path("team/members/<int:pk>/role/", team.change_role, name="change_role"),
    path("team/members/<int:pk>/remove/", team.remove, name="remove_member"),
    path("team/invitations/<int:pk>/revoke/", team.revoke, name="revoke_invitation"),
]
