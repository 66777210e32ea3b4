"""Entries as departments make them: through the services, so only in states that can be."""

from datetime import date, timedelta
from itertools import count

import pytest
from django.core.management import call_command
from django.utils import timezone

from blacklist import services as blacklist
from casework.workdays import add_working_days
from parties import services as parties
from parties.identity import CODE_ALPHABET, CODE_VALUES, CODE_WEIGHTS
from parties.models import Actor, Department, User
from redlist import services as redlist
from rulebook.models import ListCategory

numbers = count(1)


def code_of(number):
    """A made-up code with a right check symbol."""
    body = f"91220501MA{number:07d}"
    total = sum(CODE_VALUES[symbol] * weight for symbol, weight in zip(body, CODE_WEIGHTS, strict=True))
    return body + CODE_ALPHABET[-total % 31]


def firm(name=None):
    number = next(numbers)
    return parties.organisation(code_of(number), name or f"通化示例{number}号建筑工程有限公司")


def officers(department):
    """Two people of a department: who writes and who approves."""
    unit = Department.objects.get(code=department)
    return [
        Actor.of(
            User.objects.get_or_create(
                username=f"{department}-{role}",
                defaults={"department": unit, "roles": [role], "full_name": f"示例{role}"},
            )[0]
        )
        for role in ("clerk", "reviewer")
    ]


def black_entry(subject=None, *, on=None, category="M05", department="rsj", **fields):
    """A black entry published on the day `on` for the category's term, or `visible_until`."""
    clerk, reviewer = officers(department)
    on = on or timezone.localdate()
    served = on - timedelta(days=30)
    listing, _made = blacklist.draft(
        actor=clerk,
        subject=subject or firm(),
        category=ListCategory.objects.get(code=category),
        today=on,
        degree="serious",
        document_number=f"示人社监决字〔{on.year}〕第{next(numbers)}号",
        document_kind="行政处理决定书",
        document_organ="通化市示例人力资源和社会保障局",
        document_date=on - timedelta(days=31),
        prior_notice={
            "served_on": served,
            "means": "direct",
            "defence_until": add_working_days(served, 7),
        },
        **{"ground": "拖欠 37 名工人工资共 86.4 万元，经责令限期支付，逾期未付。", **fields},
    )
    return blacklist.publish(listing, actor=reviewer, today=on)


def red_entry(subject=None, *, on=None, category="RS1", department="scjg", **fields):
    clerk, reviewer = officers(department)
    on = on or timezone.localdate()
    start = on - timedelta(days=30)
    listing, _made = redlist.draft(
        actor=clerk,
        subject=subject or firm(),
        category=ListCategory.objects.get(code=category),
        today=on,
        nominator="通化市示例行业协会",
        public_notice={"from": start, "until": add_working_days(start, 7)},
        **{"ground": "三年监督抽检全部合格，无行政处罚。", **fields},
    )
    return redlist.publish(listing, actor=reviewer, today=on)


def ending(day, **fields):
    """A black entry whose last public day is `day`, published a month before it."""
    return black_entry(on=day - timedelta(days=30), visible_until=day, **fields)


@pytest.fixture
def rules(db):
    call_command("seed_rules", verbosity=0)
    return date


@pytest.fixture
def page(client):
    """Ask for a page; it must answer as told."""

    def ask(path, status=200, **extra):
        response = client.get(path, **extra)
        assert response.status_code == status, (path, response.status_code)
        return response

    return ask
