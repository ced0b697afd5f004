"""People, teams, invitations, keys and quotas: the only writers. The text of a `Refused` is meant for whoever asked."""

from accounts.services.closing import close_account, teams_that_need
from accounts.services.invitations import accept_invitation, find_invitation, invite, revoke_invitation
from accounts.services.keys import create_api_key, key_behind, revoke_api_key
from accounts.services.once import forget_answers, once
from accounts.services.people import (
    create_person,
    ensure_personal_team,
    give_one_time_password,
    password_reset_link,
    set_active,
)
from accounts.services.quota import QuotaExceeded, charge, daily_limit, left_today, refund, used_today
from accounts.services.refused import Refused
from accounts.services.sessions import (
    end_other_sessions,
    end_session,
    forget_old_sessions,
    note_session,
    sessions_of,
)
from accounts.services.teams import (
    change_role,
    close_team,
    create_team,
    hand_over_team,
    leave_team,
    remove_member,
    rename_team,
    set_shares,
    switch_team,
)
from accounts.services.webhooks import (
    change_webhook,
    create_webhook,
    delete_webhook,
    deliver_due,
    emit,
    forget_deliveries,
    redeliver,
    renew_secret,
    send_test,
)

__all__ = [
    "QuotaExceeded",
    "Refused",
    "accept_invitation",
    "change_role",
    "change_webhook",
    "charge",
    "close_account",
    "close_team",
    "create_api_key",
    "create_person",
    "create_team",
    "create_webhook",
    "daily_limit",
    "delete_webhook",
    "deliver_due",
    "emit",
    "end_other_sessions",
    "end_session",
    "ensure_personal_team",
    "find_invitation",
    "forget_answers",
    "forget_deliveries",
    "forget_old_sessions",
    "give_one_time_password",
    "hand_over_team",
    "invite",
    "key_behind",
    "leave_team",
    "left_today",
    "note_session",
    "once",
    "password_reset_link",
    "redeliver",
    "refund",
    "remove_member",
    "rename_team",
    "renew_secret",
    "revoke_api_key",
    "revoke_invitation",
    "send_test",
    "sessions_of",
    "set_active",
    "set_shares",
    "switch_team",
    "teams_that_need",
    "used_today",
]
