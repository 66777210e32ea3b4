from django.core.management.base import BaseCommand, CommandError

from parties import services
from parties.models import User


class Command(BaseCommand):
    help = (
        "Give an account a new one-time-code device in the place of any it had. "
        "Its address, for an authenticator app, is printed once."
    )

    def add_arguments(self, parser):
        parser.add_argument("username")

    def handle(self, *, username, **options):
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"no such account: {username}")
        self.stdout.write(services.give_second_factor(user).config_url)
