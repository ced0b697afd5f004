from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generator', '0004_holds_and_pauses'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='retries',
            field=models.PositiveSmallIntegerField(default=0, verbose_name='retries'),
        ),
    ]
