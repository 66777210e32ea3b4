from django.core.management.base import BaseCommand
from django.utils import timezone

from listings import services


class Command(BaseCommand):
    help = "Take every entry whose term is over off its list. Run it when and as often as you like."

    def handle(self, **options):
        count = services.expire_lapsed(today=timezone.localdate())
        self.stdout.write(f"{count} expired")
