import shutil
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management.base import BaseCommand
from django.template.loader import render_to_string

STYLES = "portal.css"


class Command(BaseCommand):
    help = (
        "Write the page that the proxy shows while the portal is down, with its stylesheet, into "
        "a folder that the proxy can read. Run it at each upgrade."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path)

    def handle(self, *, folder, **options):
        (folder / "static").mkdir(parents=True, exist_ok=True)
        page = render_to_string("maintenance.html", {"site_name": settings.SITE_NAME})
        (folder / "maintenance.html").write_text(page)
        shutil.copyfile(finders.find(STYLES), folder / "static" / STYLES)
