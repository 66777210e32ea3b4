from django.core.management.base import BaseCommand, CommandError

from parties import services
from parties.models import ApiKey, Department, User


class Command(BaseCommand):
    help = "Make a key for a department's machine. It is printed once, alone on the last line."

    def add_arguments(self, parser):
        parser.add_argument("--department", required=True, metavar="CODE")
        parser.add_argument("--officer", required=True, metavar="USERNAME", help="who answers")
        parser.add_argument("--scopes", required=True, nargs="+", choices=ApiKey.Scope.values)
        parser.add_argument("--name", help="what the key is for; the officer's name if not given")

    def handle(self, *, department, officer, scopes, name, **options):
        unit = Department.objects.filter(code=department, active=True).first()
        if unit is None:
            raise CommandError(f"no such department: {department}")
        user = User.objects.filter(username=officer, department=unit, is_active=True).first()
        if user is None:
            raise CommandError(f"{department} has no officer {officer}")
        key, raw = services.make_key(user, scopes=scopes, name=name or officer)
        self.stdout.write(f"{key.name}: {unit}, {user}, {' '.join(key.scopes)}")
        self.stdout.write(raw)
