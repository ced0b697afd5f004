"""What all models have in common, those that draw and those that change how: files, licence, who may use them."""

from typing import TypeVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Team
from accounts.roles import Action, Role, roles_for

A = TypeVar("A", bound=models.Model)


class CommercialUse(models.TextChoices):
    """What a licence says of making money with the pictures."""

    YES = "yes", _("Free for commercial use")
    CONDITIONAL = "conditional", _("Commercial use under conditions")
    NO = "no", _("Not for commercial use")


class AssetQuerySet(models.QuerySet[A]):
    """Models by whether they can be used, and by whom."""

    def enabled(self) -> "AssetQuerySet[A]":
        """Those that an administrator has not switched off."""
        return self.filter(is_enabled=True)

    def offered_to(self, user, team: Team) -> "AssetQuerySet[A]":
        """Those that `user` may choose in `team`, whether somebody has accepted their licences or not."""
        member = Membership.objects.filter(user=user, team=team)
        lent = self.model.teams.through.objects.filter(**{self.model._meta.model_name: OuterRef("pk")})
        policy = ModelPolicy.objects.filter(team=team, commercial_only=True)
        return self.enabled().filter(
            Exists(member.filter(role__in=roles_for(Action.CREATE))),
            Q(for_managers=False) | Exists(member.filter(role__in=[Role.OWNER, Role.MANAGER])),
            ~Exists(lent) | Exists(lent.filter(team=team)),
            ~Q(commercial_use=CommercialUse.NO) | ~Exists(policy),
        )


class Asset(models.Model):
    """The files of a model, what its licence allows and who may use it."""

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=80)
    source = models.CharField(
        _("source"),
        max_length=400,
        help_text=_("A hub id, the path of a diffusers folder or of one .safetensors file, or “starter”."),
    )
    revision = models.CharField(_("revision"), max_length=64, blank=True)  # of a hub's repository
    family = models.CharField(
        _("family"), max_length=40, help_text=_("Decides which style presets suit it: starter, sd1, sdxl, sd3, flux…")
    )
    weights_hash = models.CharField(_("hash of the weights"), max_length=64, blank=True)
    files = models.JSONField(_("files"), default=list, blank=True, editable=False)  # {name, size, sha256} of each
    size = models.PositiveBigIntegerField(_("size (bytes)"), default=0, editable=False)
    facts = models.JSONField(default=dict, blank=True, editable=False)  # what the file says of itself: title, author...
    triggers = models.JSONField(
        _("trigger words"),
        default=list,
        blank=True,
        help_text=_("Words that it was trained on; people can insert them."),
    )
    sample = models.ImageField(_("sample picture"), upload_to="models/", blank=True)
    is_enabled = models.BooleanField(_("can be chosen"), default=True)

    licence_name = models.CharField(_("licence"), max_length=120)
    licence_url = models.URLField(_("licence text"), blank=True)
    commercial_use = models.CharField(
        _("commercial use"), max_length=12, choices=CommercialUse, default=CommercialUse.NO
    )
    attribution = models.TextField(_("attribution"), blank=True)
    must_accept = models.BooleanField(
        _("licence to be accepted"), default=False, help_text=_("Somebody of each team, before its first use there.")
    )
    teams = models.ManyToManyField(
        Team, blank=True, related_name="+", verbose_name=_("only for"), help_text=_("None: for every team.")
    )
    for_managers = models.BooleanField(_("only for managers and owners"), default=False)

    # Where it was taught here: by which training, at which of its points, as which version for the team.
    training = models.ForeignKey(
        "generator.Training",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="%(class)ss",
        verbose_name=_("taught by"),
    )
    point = models.PositiveIntegerField(_("point"), null=True, blank=True, editable=False)
    version = models.PositiveSmallIntegerField(_("version"), null=True, blank=True, editable=False)

    added = models.DateTimeField(_("added"), auto_now_add=True, null=True)
    last_used = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    objects = AssetQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def licence(self) -> str:
        """What somebody accepts: another name or text has to be accepted anew."""
        return f"{self.licence_name} {self.licence_url}".strip()


class Adapter(Asset):
    """What changes how a model draws, or is used beside one: LoRA, embedding, ControlNet, IP-Adapter, upscaler."""

    class Kind(models.TextChoices):
        """What it is."""

        LORA = "lora", _("LoRA")
        EMBEDDING = "embedding", _("Embedding")
        CONTROLNET = "controlnet", _("ControlNet")
        IP_ADAPTER = "ip-adapter", _("IP-Adapter")
        UPSCALER = "upscaler", _("Upscaler")

    class Structure(models.TextChoices):
        """What of a picture a ControlNet follows, as ways.spec.STRUCTURES."""

        EDGES = "edges", _("Outlines")
        SCRIBBLE = "scribble", _("A drawing")
        DEPTH = "depth", _("Depth")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.LORA)
    word = models.CharField(
        _("word"), max_length=60, blank=True, help_text=_("Of an embedding: what stands for it in a prompt.")
    )
    weight = models.FloatField(_("usual weight"), default=1.0)
    structure = models.CharField(
        _("structure"),
        max_length=20,
        blank=True,
        choices=Structure,
        help_text=_("Of a ControlNet: what of a picture it was trained to follow."),
    )

    class Meta:
        verbose_name = _("adapter")
        verbose_name_plural = _("adapters")
        ordering = ["kind", "name"]


class LicenceAcceptance(models.Model):
    """Somebody has accepted a licence, for a team or (an administrator) for all. Never changed or deleted."""

    checkpoint = models.ForeignKey(
        "generator.Checkpoint", models.SET_NULL, null=True, blank=True, related_name="acceptances"
    )
    adapter = models.ForeignKey(Adapter, models.SET_NULL, null=True, blank=True, related_name="acceptances")
    asset = models.CharField(_("model"), max_length=80)  # its name, for when the row is gone
    licence = models.CharField(_("licence"), max_length=400)
    commercial_use = models.CharField(_("commercial use"), max_length=12, choices=CommercialUse)
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("team"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("accepted by")
    )
    created = models.DateTimeField(_("accepted"), auto_now_add=True)

    class Meta:
        verbose_name = _("accepted licence")
        verbose_name_plural = _("accepted licences")
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.asset}: {self.licence}"


class ModelPolicy(models.Model):
    """What a team allows itself."""

    team = models.OneToOneField(Team, models.CASCADE, primary_key=True, related_name="model_policy")
    commercial_only = models.BooleanField(
        _("commercial use only"),
        default=False,
        help_text=_("Models whose licence forbids commercial use are neither offered nor used in this team."),
    )

    class Meta:
        verbose_name = _("model policy")
        verbose_name_plural = _("model policies")

    def __str__(self) -> str:
        return str(self.team)
