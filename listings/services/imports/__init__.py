"""Files of other systems, read into the portal: all of a file's good rows, or nothing."""

from listings.services.imports.files import UnreadableFile
from listings.services.imports.listings import import_listings
from listings.services.imports.records import import_records
from listings.services.imports.reports import Progress, report
from listings.services.imports.rows import Steps, Task

__all__ = [
    "Progress",
    "Steps",
    "Task",
    "UnreadableFile",
    "import_listings",
    "import_records",
    "report",
]
