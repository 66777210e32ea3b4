from django.core.management.base import BaseCommand

from parties import sealing


class Command(BaseCommand):
    help = "Print the public key that other cities register to take this city's files."

    def handle(self, **options):
        self.stdout.write(sealing.public_key(next(iter(sealing.keys()))).hex())
