import django.db.models.deletion
from django.db import migrations, models


def fill(apps, schema_editor):
    """Hangs the accounts of before, all of them interactive, below their teams, and counts what waits."""
    Account, Lane = apps.get_model("generator", "QueueAccount"), apps.get_model("generator", "QueueLane")
    for account in Account.objects.filter(queue_team=None):
        top, _created = apps.get_model("generator", "QueueClass").objects.get_or_create(urgency=0)
        above, _created = apps.get_model("generator", "QueueTeam").objects.get_or_create(
            queue_class=top, team_id=account.team_id
        )
        account.queue_team = above
        account.virtual_time = 0.0
        account.save()
    key = ("account_id", "kind", "family", "memory", "loads")
    waiting = apps.get_model("generator", "Job").objects.filter(state="queued").order_by()
    for row in waiting.values(*key).annotate(waiting=models.Count("pk")):
        Lane.objects.create(**row)
    schema_editor.connection.check_constraints()  # PostgreSQL alters no table while checks are pending


class Migration(migrations.Migration):
    dependencies = [("generator", "0006_fair_queue")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="queueaccount",
            name="queue_team",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="accounts", to="generator.queueteam"
            ),
        ),
    ]
