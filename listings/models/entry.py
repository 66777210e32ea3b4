"""The entry on a list, with what belongs to it alone."""

from datetime import timedelta

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.lookups import IsNull
from django.utils.translation import gettext_lazy as _

from casework.models import Case, Event
from parties.models import Department, Subject
from rulebook.models import Degree, LegalBasis, ListCategory, ListKind, Misconduct

SEARCH_LIMIT = 1_000


def _written_by(user_ids):
    """The journal lines with which one of these people wrote a part of the draft at hand."""
    return Event.objects.filter(
        content_type=ContentType.objects.get_for_model(Listing),
        object_id=models.OuterRef("pk"),
        status=Listing.Status.DRAFT,
        by_user__in=user_ids,
    )


class ListingQuerySet(models.QuerySet):
    def public(self, today):
        """What anyone may see: decided by the dates, whether or not the sweep has run."""
        return self.filter(status=Listing.Status.PUBLISHED, visible_until__gte=today)

    def lapsed(self, today):
        return self.filter(status=Listing.Status.PUBLISHED, visible_until__lt=today)

    def ours(self):
        """What this city's departments listed; other cities' entries stand here for information."""
        return self.filter(origin=settings.REGION)

    def red(self):
        return self.filter(kind=ListKind.RED)

    def black(self):
        return self.filter(kind=ListKind.BLACK)

    def with_parts(self):
        """Everything that showing an entry needs, in one query."""
        return self.select_related(
            "subject", "category", "misconduct", "department", "basis", "measure_set"
        )

    def with_shared_parts(self):
        """The same for very many: what they share is loaded once, not with each row."""
        shared = ("category", "misconduct", "department", "basis", "measure_set")
        return self.select_related("subject").prefetch_related(*shared)

    def readable_by(self, user, today):
        """Public entries, and of the user's own department every entry."""
        if user.sees_all:
            return self
        return self.filter(
            Q(status=Listing.Status.PUBLISHED, visible_until__gte=today)
            | Q(department=user.department_id)
        )

    def of_desk(self, user):
        """The entries of the user's own department, drafts and ended ones too."""
        return self if user.sees_all else self.filter(department=user.department_id)

    def not_written_by(self, user):
        """Drafts of which the user wrote no part: those the user may approve.

        Nor did anybody for whom the user stands in today.
        """
        return self.filter(
            ~models.Exists(_written_by(user.speaks_for)), status=Listing.Status.DRAFT
        )

    def written_by(self, user):
        """Drafts of which the user wrote a part."""
        return self.filter(models.Exists(_written_by([user.pk])), status=Listing.Status.DRAFT)

    def known_to(self, user):
        """Everything but the drafts of other departments: of what has ended, that it has."""
        if user.sees_all:
            return self
        return self.exclude(~Q(department=user.department_id), status=Listing.Status.DRAFT)

    def in_force_on(self, day, *, known_at=None):
        """What was in force on `day`; an entry made in error never was.

        As known now, or with `known_at`, a position of the ledger, as the portal knew it then.
        """
        version = {"versions__in_force__contains": day, "versions__void_from_start": False}
        if known_at is None:
            return self.filter(versions__to_seq=None, **version)
        known = Q(versions__to_seq=None) | Q(versions__to_seq__gt=known_at)
        return self.filter(known, versions__from_seq__lte=known_at, **version)

    def with_status(self, status, today):
        """Rows that read as `status` today: a published row past its last day is expired."""
        if status == Listing.Status.PUBLISHED:
            return self.public(today)
        if status == Listing.Status.EXPIRED:
            lapsed = Q(status=Listing.Status.PUBLISHED, visible_until__lt=today)
            return self.filter(Q(status=status) | lapsed)
        return self.filter(status=status)

    def of_code(self, code):
        """Entries of the organisation with this code, or of the one it was merged into."""
        return self.filter(subject=Subject.objects.behind(code=code))

    def named(self, normalised):
        """Organisations whose name holds the text; persons are never found by name.

        Each name is read, in whatever order the rows come: for few rows, or for many hits.
        """
        rows = self.exclude(subject__kind=Subject.Kind.PERSON)
        return rows.filter(subject__name_normalised__contains=normalised)

    def named_like(self, grams):
        """Organisations on a list whose name holds all the bigrams, found through their index."""
        return self.filter(status=Listing.Status.PUBLISHED, bigrams__contains=grams)

    def first_named_like(self, grams, limit, *, holding=""):
        """[(published_on, pk, kind)] of at most `limit` of these, in no order; name too if given.

        OFFSET 0 is a fence: the bigrams are asked before names are read and without regard to
        the limit, which would make reading the table itself look cheap.
        """
        rows = self.named_like(grams).order_by()
        entries, given = rows.values(
            "published_on", "pk", "kind", "subject"
        ).query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                SELECT entry.published_on, entry.pk, entry.kind FROM ({entries} OFFSET 0) AS entry
                JOIN parties_subject ON parties_subject.id = entry.subject
                WHERE strpos(parties_subject.name_normalised, %s) > 0 LIMIT %s
                """,  # noqa: S608 - made of the queryset's own SQL, which has its values apart
                [*given, holding, limit],
            )
            return cursor.fetchall()

    def marking_paused(self, today):
        """Each row says as `paused` whether its subject is on the black list as well.

        Asked by key for the rows that are shown: for an EXISTS the server would read the whole
        black list first.
        """
        black = Listing.objects.public(today).black().filter(subject=models.OuterRef("subject"))
        one = models.Subquery(black.order_by().values("pk")[:1])
        return self.annotate(paused=IsNull(one, rhs=False))

    def ending_before(self, day):
        return self.filter(visible_until__lt=day)

    def duplicates_of(self, listing):
        """Entries of the same department, subject, category and document, ended ones too."""
        return self.filter(
            department=listing.department,
            subject=listing.subject,
            category=listing.category,
            document_number=listing.document_number,
        ).exclude(pk=listing.pk)


class MeasureSet(models.Model):
    """The measures that came with an entry, frozen at publication and shared by like entries.

    `measures` is a list of {code, unit, article, memorandum}; never changed.
    """

    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(max_length=64, unique=True)
    measures = models.JSONField()

    class Meta:
        verbose_name = verbose_name_plural = _("措施组合")

    def __str__(self):
        return self.digest


class Listing(Case):
    """A department's published finding about a subject, on the red list or the black."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("草稿")
        PUBLISHED = "published", _("已公布")
        WITHDRAWN = "withdrawn", _("已撤下")
        REPAIRED = "repaired", _("已修复")
        EXPIRED = "expired", _("已到期")

    class EndReason(models.TextChoices):
        ERROR = "error", _("列入有误")
        DOCUMENT_QUASHED = "document_quashed", _("依据的文书被撤销或变更")
        RECOGNITION_WITHDRAWN = "recognition_withdrawn", _("撤销认定")
        REPAIRED = "repaired", _("信用修复")
        EXPIRED = "expired", _("期限届满")

    MOVES = {  # action: (from, to)
        "edit": ({Status.DRAFT}, Status.DRAFT),
        "publish": ({Status.DRAFT}, Status.PUBLISHED),
        "annotate": ({Status.PUBLISHED}, Status.PUBLISHED),
        "correct": ({Status.PUBLISHED}, Status.PUBLISHED),
        "withdraw": ({Status.PUBLISHED}, Status.WITHDRAWN),
        "repair": ({Status.PUBLISHED}, Status.REPAIRED),
        "expire": ({Status.PUBLISHED}, Status.EXPIRED),
        # what the list apps add to a draft: who approves it has seen its last version
        "nominate": ({Status.DRAFT}, Status.DRAFT),
        "announce": ({Status.DRAFT}, Status.DRAFT),
        "serve_notice": ({Status.DRAFT}, Status.DRAFT),
        "void_notice": ({Status.DRAFT}, Status.DRAFT),
        "record_defence": ({Status.DRAFT}, Status.DRAFT),
        "name_responsible_persons": ({Status.DRAFT}, Status.DRAFT),
    }
    ENDINGS = ("withdraw", "repair", "expire")

    status = models.CharField(
        _("状态"), max_length=30, choices=Status, default=Status.DRAFT, db_index=False
    )
    kind = models.CharField(_("名单"), max_length=5, choices=ListKind, editable=False)
    origin = models.CharField(_("来源城市"), max_length=6)
    subject = models.ForeignKey(
        Subject, models.PROTECT, related_name="listings", verbose_name=_("主体")
    )
    category = models.ForeignKey(
        ListCategory, models.PROTECT, related_name="listings", verbose_name=_("类别")
    )
    misconduct = models.ForeignKey(
        Misconduct,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        verbose_name=_("失信行为"),
    )
    degree = models.CharField(_("程度"), max_length=10, choices=Degree, blank=True)
    # no index of its own where another begins with it or nothing is found by it
    department = models.ForeignKey(
        Department,
        models.PROTECT,
        related_name="listings",
        db_index=False,
        verbose_name=_("认定部门"),
    )
    reference = models.CharField(_("部门编号"), max_length=100, blank=True)
    document_number = models.CharField(_("文书文号"), max_length=128, blank=True)
    document_kind = models.CharField(_("文书种类"), max_length=60, blank=True)
    document_organ = models.CharField(_("作出机关"), max_length=200, blank=True)
    document_date = models.DateField(_("文书日期"), null=True, blank=True)
    ground = models.TextField(_("事实和理由"), blank=True)
    basis = models.ForeignKey(
        LegalBasis,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        verbose_name=_("法律依据"),
    )
    basis_article = models.CharField(_("条款"), max_length=60, blank=True)
    details = models.JSONField(_("类别字段"), default=dict, blank=True)
    measure_codes = ArrayField(
        models.CharField(max_length=8), null=True, blank=True, verbose_name=_("选定的措施")
    )
    measure_until = models.JSONField(_("措施截止日"), default=dict, blank=True)
    measure_set = models.ForeignKey(
        MeasureSet, models.PROTECT, null=True, blank=True, editable=False, db_index=False
    )
    term_months = models.PositiveSmallIntegerField(_("期限（月）"), null=True, blank=True)
    published_on = models.DateField(_("公布日"), null=True, blank=True)
    visible_until = models.DateField(_("最后公布日"), null=True, blank=True)
    ended_on = models.DateField(_("撤下日"), null=True, blank=True)
    end_reason = models.CharField(_("撤下原因"), max_length=30, choices=EndReason, blank=True)
    disputed = models.BooleanField(_("异议处理中"), default=False)
    rule_version = models.PositiveIntegerField(_("规则版本"), default=1)
    # who vouched at publication that nothing secret is made public
    attested_by = models.ForeignKey(
        "parties.User",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        related_name="+",
        verbose_name=_("公开内容核对人"),
    )
    # the server keeps no statistics of it (0001): its index is right for every piece of a name
    bigrams = ArrayField(models.CharField(max_length=2), default=list, editable=False)

    objects = ListingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("名单记录")
        constraints = [
            models.CheckConstraint(name="listing_kind", condition=Q(kind__in=ListKind.values)),
            models.CheckConstraint(
                name="listing_published_has_dates",
                condition=Q(status="draft")
                | Q(published_on__isnull=False, visible_until__gte=F("published_on")),
            ),
            # an ended entry can't come back under the same document
            models.UniqueConstraint(
                fields=["subject", "category", "department", "document_number"],
                name="listing_once_per_document",
                condition=~Q(document_number=""),
            ),
            models.UniqueConstraint(
                fields=["department", "reference"],
                name="listing_reference",
                condition=~Q(reference=""),
            ),
        ]
        indexes = [
            # for the sweep and every public question: the few rows that are on a list
            models.Index(
                fields=["kind", "visible_until"],
                name="listing_live",
                condition=Q(status="published"),
            ),
            # for the public lists, newest first
            models.Index(
                fields=["kind", "-published_on", "-id"],
                name="listing_newest",
                condition=Q(status="published"),
            ),
            # for a department's own work
            models.Index(fields=["department", "status", "-id"], name="listing_department"),
            # for the search by name: organisations only, what is on a list only
            GinIndex(fields=["bigrams"], name="listing_bigrams", condition=Q(status="published")),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.subject.display_name}"

    @property
    def is_foreign(self):
        """Whether another city made it: that city alone changes it, here it is only read."""
        return self.origin not in {"", settings.REGION}

    def status_on(self, today):
        """How the entry reads today: published past its last day is expired, sweep or no sweep."""
        if self.status == self.Status.PUBLISHED and self.visible_until < today:
            return self.Status.EXPIRED
        return self.Status(self.status)

    def is_public(self, today):
        return self.status_on(today) == self.Status.PUBLISHED

    def ended_on_as_of(self, today):
        """The first day on which the entry is off its list, or None while it is on it."""
        if self.ended_on is None and self.status_on(today) == self.Status.EXPIRED:
            return self.visible_until + timedelta(days=1)
        return self.ended_on

    def end_reason_as_of(self, today):
        expired = self.status_on(today) == self.Status.EXPIRED
        return self.EndReason.EXPIRED.value if expired else self.end_reason

    def author_ids(self):
        """The people who wrote any part of the draft; none of them may approve it."""
        return set(
            self.journal.filter(status=self.Status.DRAFT).values_list("by_user_id", flat=True)
        ) - {None}
