"""A whole copy of the portal, encrypted and verifiable, and the portal made from such a copy."""

from portal.services.backup.bring_back import restore
from portal.services.backup.make import make_backup
from portal.services.backup.sealed_file import Damaged, Refused

__all__ = ["Damaged", "Refused", "make_backup", "restore"]
