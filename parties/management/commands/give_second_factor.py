from django.core.management.base import BaseCommand, CommandError

from parties import services
from parties.models import AccountEvent, Actor, User


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
        device = services.give_second_factor(user)
        services.note(user, AccountEvent.Action.RESET_FACTOR, actor=Actor(label="命令行"))
        self.stdout.write(device.config_url)
