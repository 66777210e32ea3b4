"""What is sealed, and the keys of digests that outlive the key they came from."""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Sealed:
    """A sealed column of a table: which, beside which key id, and what binds it to its row.

    A model names its own in SEALED, so that a change of keys finds them all. `index` is the
    column of the blind index made of the same value, its key id in `<index>_key_id`; what is
    digested of a value says the row's `index_text(value)`.
    """

    column: str
    key_id: str
    field: str
    row: str = "public_id"
    index: str = ""


class IndexKey(models.Model):
    """The key of one kind of digest, kept sealed after the sealing key it came from is retired.

    Of a query code only the digest is kept, so it can't be made anew under a newer key.
    """

    key_id = models.CharField(_("密钥编号"), max_length=16)  # of the key that it was derived from
    purpose = models.CharField(_("用途"), max_length=20)
    sealed = models.BinaryField()
    sealed_key_id = models.CharField(max_length=16)

    SEALED = (Sealed("sealed", "sealed_key_id", "key", row="place"),)

    class Meta:
        verbose_name = verbose_name_plural = _("索引密钥")
        constraints = [models.UniqueConstraint(fields=["key_id", "purpose"], name="indexkey_once")]

    def __str__(self):
        return self.place

    @property
    def place(self):
        return f"{self.key_id}:{self.purpose}"
