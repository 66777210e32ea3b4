"""Who acts, and the columns that keep it."""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _

from parties.models.keys import ApiKey
from parties.models.people import User


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, a person through a key, or the clock (`label` alone)."""

    user: User | None = None
    key: ApiKey | None = None
    label: str = ""

    @classmethod
    def of(cls, user):
        """The person, about to act: whose role that needs is asked from here on."""
        user.acting_for = None
        return cls(user=user, label=str(user))

    @classmethod
    def through(cls, key):
        """The officer by a machine's hand, with the own roles alone."""
        key.officer.through_key = True
        return cls(user=key.officer, key=key, label=f"{key.officer} ({key.name})")

    @property
    def columns(self):
        return {"by_user": self.user, "by_key": self.key, "by_label": self.signature}

    @property
    def signature(self):
        """The name under which it is done, and in whose place where that one's role was used."""
        lender = getattr(self.user, "acting_for", None)
        place = f"（代 {lender.name} 办理）" if lender else ""
        return f"{self.label[: 120 - len(place)]}{place}"

    @property
    def department(self):
        return self.user.department if self.user else None


CLOCK = Actor(label="clock")
PUBLIC = Actor(label="applicant")


class Acted(models.Model):
    """The three columns that say who did it, even after the account is gone."""

    by_user = models.ForeignKey(
        "parties.User",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("办理人"),
    )
    by_key = models.ForeignKey(
        "parties.ApiKey",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("密钥"),
    )
    by_label = models.CharField(_("署名"), max_length=120)

    class Meta:
        abstract = True
