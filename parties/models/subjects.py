"""Whom entries are about, and the one mask of persons."""

import uuid

from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parties.models.sealed import Sealed


class PaperType(models.TextChoices):
    RESIDENT_ID = "resident_id", _("居民身份证")
    PASSPORT = "passport", _("护照")
    HK_MACAU = "hk_macau", _("港澳居民来往内地通行证")
    TAIWAN = "taiwan", _("台湾居民来往大陆通行证")
    FOREIGN_RESIDENT = "foreign_resident", _("外国人永久居留身份证")
    OTHER = "other", _("其他")


class SubjectQuerySet(models.QuerySet):
    def organisations(self):
        return self.exclude(kind=Subject.Kind.PERSON)

    def behind(self, **number):
        """The key of the subject that a code or key stands for, as a subselect of one row.

        Of a merged record that is the one it was merged into. To be used with `=`, so that
        the index on the number answers first.
        """
        key = Coalesce("merged_into", "pk", output_field=models.BigIntegerField())
        return self.filter(**number).values(key=key)[:1]


class Subject(models.Model):
    """Whom an entry is about: a firm by its code, a person by the sealed number of a paper.

    A person whom another city lists has no paper here: no check can ever find that one.
    """

    class Kind(models.TextChoices):
        ORGANIZATION = "organization", _("法人及非法人组织")
        SOLE_TRADER = "sole_trader", _("个体工商户")
        PERSON = "person", _("自然人")

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("主体类别"), max_length=20, choices=Kind)
    code = models.CharField(  # noqa: DJ001 - a person has none, and no two may share ""
        _("统一社会信用代码"), max_length=18, null=True, blank=True, db_collation="C"
    )
    name = models.CharField(_("名称"), max_length=200)
    name_normalised = models.CharField(max_length=200, editable=False, db_collation="C")
    region = models.CharField(_("行政区划"), max_length=6, blank=True)
    legal_representative = models.CharField(_("法定代表人"), max_length=100, blank=True)
    paper_type = models.CharField(_("证件类型"), max_length=20, choices=PaperType, blank=True)
    paper_sealed = models.BinaryField(null=True, editable=False)
    paper_key_id = models.CharField(max_length=16, blank=True, editable=False)
    paper_index = models.BinaryField(null=True, editable=False)
    paper_index_key_id = models.CharField(max_length=16, blank=True, editable=False)
    # the same subject under the number that counts; everything about it hangs there
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="merged",
        verbose_name=_("并入"),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    SEALED = (Sealed("paper_sealed", "paper_key_id", "paper", index="paper_index"),)

    objects = SubjectQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("主体")
        constraints = [
            models.CheckConstraint(
                name="subject_has_its_identity",
                # a person whom another city lists is known by a masked name, without any paper
                condition=models.Q(kind="person", code=None)
                & (models.Q(paper_index__isnull=False) | models.Q(paper_type=""))
                | (~models.Q(kind="person") & models.Q(code__isnull=False, paper_index=None)),
            ),
            models.UniqueConstraint(fields=["code"], name="subject_code"),
            # one person per paper; the index is keyed, so rotation writes both columns
            models.UniqueConstraint(
                fields=["paper_type", "paper_index"],
                name="subject_one_per_paper",
                condition=models.Q(kind="person"),
            ),
        ]

    def __str__(self):
        return self.display_name

    def index_text(self, number):
        """What the blind index of the paper is made of."""
        return f"{self.paper_type}:{number}"

    @property
    def is_person(self):
        return self.kind == self.Kind.PERSON

    @property
    def kept(self):
        """The record that counts: this one, or the one that it was merged into."""
        return self.merged_into or self

    @property
    def display_name(self):
        """The name as anyone may see it: a person's is masked (张*)."""
        return mask_name(self.name) if self.is_person else self.name


class FormerNameQuerySet(models.QuerySet):
    def holding(self, normalised):
        """Those of organisations that hold the text; persons are never found by name."""
        rows = self.exclude(subject__kind=Subject.Kind.PERSON).select_related("subject")
        return rows.filter(name_normalised__contains=normalised)


class FormerName(models.Model):
    """A name that a subject bore until a day: still found, never an identity."""

    subject = models.ForeignKey(
        Subject, models.PROTECT, related_name="former_names", verbose_name=_("主体")
    )
    name = models.CharField(_("曾用名"), max_length=200)
    name_normalised = models.CharField(max_length=200, editable=False, db_collation="C")
    until = models.DateField(_("用到"))

    objects = FormerNameQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("曾用名")
        ordering = ["-until", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "name", "until"], name="formername_once")
        ]
        indexes = [models.Index(fields=["name_normalised"], name="formername_name")]

    def __str__(self):
        return mask_name(self.name) if self.subject.is_person else self.name


def mask_name(name):
    """Leave the first character of a person's name: 张三 → 张*, 欧阳示例 → 欧*."""
    name = name.strip()
    return f"{name[:1]}*" if name else "*"


def mask_value(value):
    """The same of any value that may name a person: its first sign, but never a digit."""
    masked = mask_name(str(value))
    return "*" if masked[0].isdigit() else masked
