"""Addresses of the pages about people."""

from django.urls import path

from accounts.views import invitations, profile, team

app_name = "accounts"
urlpatterns = [
    path("account/profile/", profile.profile, name="profile"),
    path("invitation/<str:token>/", invitations.invitation, name="invitation"),
    path("team/", team.team, name="team"),
    path("team/create/", team.create, name="create_team"),
    path("team/switch/", team.switch, name="switch"),
    path("team/<uuid:pk>/invite/", team.invite, name="invite"),
    path("team/<uuid:pk>/rename/", team.rename, name="rename_team"),
    path("team/<uuid:pk>/leave/", team.leave, name="leave_team"),
    path("team/members/<int:pk>/role/", team.change_role, name="change_role"),
    path("team/members/<int:pk>/remove/", team.remove, name="remove_member"),
    path("team/invitations/<int:pk>/revoke/", team.revoke, name="revoke_invitation"),
]
