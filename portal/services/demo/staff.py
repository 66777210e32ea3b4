"""Who works in the demonstration: officers of every unit, some of whom can sign in."""

import base64
import secrets
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from parties.models import Actor, Department, Role, User
from parties.services import give_second_factor
from portal.services.demo import texts


@dataclass(frozen=True)
class Account:
    """An account of the demonstration that is told to whoever installs it."""

    username: str
    department: str
    role: str
    is_staff: bool = False


ACCOUNTS = (
    Account("rsj-clerk", "rsj", Role.CLERK),
    Account("rsj-reviewer", "rsj", Role.REVIEWER),
    Account("scjg-clerk", "scjg", Role.CLERK),
    Account("scjg-reviewer", "scjg", Role.REVIEWER),
    Account("zjfy-clerk", "zjfy", Role.CLERK),
    Account("zjfy-reviewer", "zjfy", Role.REVIEWER),
    Account("czj-liaison", "czj", Role.LIAISON),
    Account("ggzy-liaison", "ggzy", Role.LIAISON),
    Account("scjg-liaison", "scjg", Role.LIAISON),
    Account("bank-liaison", "bank-demo", Role.LIAISON),
    Account("supervisor", "fgw", Role.SUPERVISOR),
    Account("auditor", "fgw", Role.AUDITOR),
    Account("vault", "fgw", Role.VAULT),
    Account("platform", "platform", Role.OPERATOR, is_staff=True),
)
LIAISONS = {"bank-demo": "bank-liaison"}


def hire():
    """Make the officers; returns the told accounts as (name, unit, role, password, secret) rows.

    Every unit has a clerk, a reviewer and a liaison, so that its matters have people; those
    that are not told have no password. All told accounts share one password of this install.
    """
    _actors.clear()
    password = secrets.token_urlsafe(12)
    departments = {department.code: department for department in Department.objects.all()}
    told = {account.username: account for account in ACCOUNTS}
    others = [
        Account(username_of(code, role), code, role)
        for code in departments
        for role in (Role.CLERK, Role.REVIEWER, Role.LIAISON)
        if username_of(code, role) not in told
    ]
    surnames = texts.surnames()
    users = []
    for number, account in enumerate((*ACCOUNTS, *others)):
        users.append(
            User(
                username=account.username,
                password=make_password(password if account.username in told else None),
                full_name=f"{surnames[number % len(surnames)]}示例",
                department=departments[account.department],
                roles=[account.role.value],
                is_staff=account.is_staff,
                is_superuser=account.is_staff,
            )
        )
    User.objects.bulk_create(users)
    return [_row(user, told[user.username], password) for user in users if user.username in told]


def username_of(code, role):
    if role == Role.LIAISON and code in LIAISONS:
        return LIAISONS[code]
    return f"{code}-{role.value}"


def _row(user, account, password):
    """The account's line, with a second factor made for it."""
    secret = base64.b32encode(give_second_factor(user).bin_key).decode()
    return (user.username, user.department.name, str(account.role.label), password, secret)


_actors = {}


def actor(code, role):
    """Who acts for the unit in this role."""
    return _known(username_of(code, role))


def supervisor():
    return _known("supervisor")


def vault():
    return _known("vault")


def _known(username):
    if username not in _actors:
        user = User.objects.select_related("department").get(username=username)
        _actors[username] = Actor.of(user)
    return _actors[username]


def clerk(code):
    return actor(code, Role.CLERK)


def reviewer(code):
    return actor(code, Role.REVIEWER)


def liaison(code):
    return actor(code, Role.LIAISON)
