"""Things as people make them: every builder calls the services, so only reachable states exist.

Days are given as `today`, the day on which the last step happens; earlier steps happen on
earlier days. Without it, it is today. The rules must be loaded (the fixture `rules`).
"""

import datetime
from itertools import count

from django.contrib.auth import BACKEND_SESSION_KEY
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework.test import APIClient

from blacklist import services as blacklist
from casework.services import check_table
from casework.workdays import add_months, add_working_days
from jointaction import services as jointaction
from jointaction.models import Occasion
from jointaction.services import webhooks
from listings.services import exchange
from objections import services as objections
from parties import services as parties
from parties.desk import SIGNED_IN_AT
from parties.identity import CODE_ALPHABET, CODE_VALUES, CODE_WEIGHTS
from parties.models import PUBLIC, Actor, ApiKey, Department, Role, User
from portal.services import arrivals, wizard
from redlist import services as redlist
from repair import services as repairs
from rulebook.models import ListCategory
from rulebook.services import seed_demo_units
from tipoffs import services as tipoffs
from tipoffs.models import VaultKey

numbers = count(1)
DAY = datetime.timedelta(days=1)
DEMO_UNITS = ("bank-demo", "xh-demo")
NAMED = {  # what a category asks for besides
    "M02": {"tax_kind": "增值税", "amount": "128.6"},
    "J01": {
        "court": "通化市示例人民法院",
        "case_number": "（2026）吉05执示1号",
        "filed_on": "2026-01-15",
        "obligation": "支付货款 128.6 万元",
        "performance": "全部未履行",
    },
    "J02": {"obligation": "拆除违法建筑", "performance": "全部未履行"},
}


# ── who ───────────────────────────────────────────────────────────────────────────────────────


def department(code):
    """A department of the seeded rules; the demonstration's bank and association on demand."""
    if code in DEMO_UNITS and not Department.objects.filter(code=code).exists():
        seed_demo_units()
    return Department.objects.get(code=code)


def officer(unit, *roles, username=None):
    """A member of staff of `unit` (a code or a row), the same one each time asked."""
    unit = department(unit) if isinstance(unit, str) else unit
    username = username or "-".join((unit.code, *roles))
    user, _made = User.objects.get_or_create(
        username=username,
        defaults={"department": unit, "roles": list(roles), "full_name": f"示例{username}"},
    )
    return user


def clerk(unit="rsj"):
    return officer(unit, Role.CLERK.value)


def reviewer(unit="rsj"):
    return officer(unit, Role.REVIEWER.value)


def liaison(unit="czj"):
    return officer(unit, Role.LIAISON.value)


def supervisor():
    return officer("fgw", Role.SUPERVISOR.value)


def auditor():
    return officer("fgw", Role.AUDITOR.value)


def operator():
    return officer("platform", Role.OPERATOR.value)


def partner_city(code="220600", **fields):
    """Another city whose lists are taken here, registered by the platform operator."""
    given = {
        "name": "白山市",
        "name_en": "Baishan",
        "url": "https://credit.baishan.example.cn",
        "public_key": "0" * 64,
    }
    actor = Actor.of(operator())
    return exchange.register_city(actor=actor, note="示例公函1号", code=code, **{**given, **fields})


def code_of(number, *, prefix="91220501MA"):
    """A made-up code with a right check symbol: `prefix` and digits up to seventeen signs."""
    body = prefix + f"{number:0{17 - len(prefix)}d}"
    total = sum(CODE_VALUES[sign] * weight for sign, weight in zip(body, CODE_WEIGHTS, strict=True))
    return body + CODE_ALPHABET[-total % 31]


def firm(name=None, code=None, **fields):
    """A made-up firm with a valid code, a new one each time."""
    number = next(numbers)
    name = name or f"通化示例{number}号商贸有限公司"
    return parties.organisation(code or code_of(number), name, **fields)


def resident_id(number, born="19800101"):
    """A made-up resident number with a right check digit, born on `born`."""
    body = f"220502{born}{number % 1000:03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


def person(name="张示例", number=None):
    """A made-up person, a new one each time unless the resident `number` is given."""
    index = next(numbers)
    born = f"{1950 + index // 1000 % 50}0101"
    return parties.person(name, "resident_id", number or resident_id(index, born))


def api_key(user, *scopes):
    """The raw key of a machine that acts for `user`; all scopes where none is named.

    It was used today already: the day of its last use is written once a day.
    """
    _key, raw = ApiKey.objects.create_key(
        name=f"示例接口{next(numbers)}",
        officer=user,
        scopes=list(scopes) or ApiKey.Scope.values,
        last_used_on=timezone.localdate(),
    )
    return raw


def signed_in(client, user):
    """The client with `user` signed in and verified by the second factor."""
    device, _made = TOTPDevice.objects.get_or_create(user=user, name="示例", confirmed=True)
    client.force_login(user, backend="parties.desk.StaffBackend")
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session[SIGNED_IN_AT] = timezone.now().timestamp()
    session.save()
    assert BACKEND_SESSION_KEY in session
    return client


# ── entries ───────────────────────────────────────────────────────────────────────────────────


def black_draft(subject=None, *, unit="rsj", category="M05", today=None, notice=True, **fields):
    """A complete draft of the clerk, its notice served so that the defence is over on `today`.

    With `notice=False` none was served yet; `fields` go to `blacklist.services.draft`.
    """
    today = today or timezone.localdate()
    number = next(numbers)
    written = today - 40 * DAY
    given = {
        "degree": "serious",
        "ground": "2025年8月至12月拖欠 37 名农民工工资共 86.4 万元，经责令限期支付，逾期未付。",
        "document_number": f"吉通示{unit}决字〔{written.year}〕第{number}号",
        "document_kind": "行政处理决定书",
        "document_organ": department(unit).name,
        "document_date": written,
        "details": NAMED.get(category, {}),
    }
    if notice:
        served = today - 25 * DAY
        until = add_working_days(served, 5)
        given["prior_notice"] = {"served_on": served, "means": "direct", "defence_until": until}
    listing, _made = blacklist.draft(
        actor=Actor.of(clerk(unit)),
        subject=subject or firm(),
        category=ListCategory.objects.get(code=category),
        today=today,
        **{**given, **fields},
    )
    return listing


def responsible(name="张示例", *, role="legal_representative", **fields):
    """What names a made-up responsible person in a draft, a new one each time."""
    index = next(numbers)
    return {
        "name": name,
        "id_type": "resident_id",
        "id_number": resident_id(index, f"{1950 + index // 1000 % 50}0303"),
        "role": role,
        "fact": "直接决定拖欠工资。",
        "basis": "保障农民工工资支付条例第四十八条",
        **fields,
    }


def published_black(
    subject=None, *, unit="rsj", category="M05", today=None, attested=False, **fields
):
    """A black entry published on `today` by the reviewer, drafted by the clerk."""
    today = today or timezone.localdate()
    draft = black_draft(subject, unit=unit, category=category, today=today, **fields)
    actor = Actor.of(reviewer(unit))
    return blacklist.publish(draft, actor=actor, today=today, attested=attested)


def red_draft(subject=None, *, unit="scjg", category="RS1", today=None, notice=True, **fields):
    """A nomination of the clerk whose public notice is over on `today`."""
    today = today or timezone.localdate()
    given = {"nominator": "通化市示例行业协会", "ground": "连续三年监督抽检全部合格，无行政处罚。"}
    if notice:
        given["public_notice"] = {"from": today - 30 * DAY, "until": today - DAY}
    listing, _made = redlist.draft(
        actor=Actor.of(clerk(unit)),
        subject=subject or firm(),
        category=ListCategory.objects.get(code=category),
        today=today,
        **{**given, **fields},
    )
    return listing


def red_published(subject=None, *, unit="scjg", category="RS1", today=None, **fields):
    """A red entry recognised on `today` by the reviewer, nominated by the clerk."""
    today = today or timezone.localdate()
    draft = red_draft(subject, unit=unit, category=category, today=today, **fields)
    return redlist.publish(draft, actor=Actor.of(reviewer(unit)), today=today)


def review(*, today=None):
    """The review of a red entry whose subject got on the black list on `today`."""
    today = today or timezone.localdate()
    red = red_published(today=today - DAY)
    published_black(red.subject, today=today)
    redlist.review_black_listed(today=today)
    return red.reviews.get()


def last_public_day(day, **fields):
    """A black entry whose last public day is `day`, published two months before it."""
    return published_black(today=add_months(day, -2), visible_until=day, **fields)


def table(name="黑名单.csv"):
    """A file of two black entries, one of them with a wrong code."""
    rows = (
        "主体名称,统一社会信用代码,文书文号",
        f"通化示例酒业有限公司,{code_of(next(numbers))},示例〔2026〕{next(numbers)}号",
        "通化示例米业有限公司,91220501MA0ABC1216,示例〔2026〕2号",
    )
    return SimpleUploadedFile(name, "\n".join(rows).encode())


def brought(file=None, *, category="M05", unit="rsj", actor=None):
    """A file that a machine of the clerk brought; it waits for its turn."""
    return arrivals.receive(
        file or table(),
        category=ListCategory.objects.get(code=category),
        actor=actor or Actor.of(clerk(unit)),
    )


def previewed(category="M05", *, unit="rsj"):
    """A file of two rows that the clerk tried, one of them sent back; it waits for a decision."""
    if isinstance(category, str):
        category = ListCategory.objects.get(code=category)
    return wizard.preview(
        table(),
        kind="listings",
        category=category,
        department=department(unit),
        actor=Actor.of(clerk(unit)),
    )


def sheet(*rows, unit="czj", actor=None, name="客户.csv", **business):
    """A table that waits for its check; a row is (code, name, kind of paper, number) or less."""
    lines = [("统一社会信用代码", "名称", "证件类型", "证件号码"), *rows]
    content = "\n".join(",".join(line) for line in lines).encode()
    return jointaction.receive_sheet(
        check_table(SimpleUploadedFile(name, content)),
        actor=actor or Actor.of(liaison(unit)),
        **{"purpose": "客户背景审查", "reference": f"示例{next(numbers)}", **business},
    )


# ── remedies ──────────────────────────────────────────────────────────────────────────────────

APPLICANT = {"name": "示例申请人", "phone": "0435-0000000", "email": ""}


def objection(listing=None, *, received_on=None, today=None, by=None, **fields):
    """An objection as the subject of a published entry files it; returns (matter, query code)."""
    today = today or timezone.localdate()
    given = {
        "door": "department" if by else "platform",
        "applicant": APPLICANT,
        "fields": ["ground"],
        "grounds": "其中 15 名工人工资已通过银行代发，立案时未计入，附回单。",
        "received_on": received_on or today,
    }
    return objections.file(
        listing or published_black(),
        actor=Actor.of(by) if by else PUBLIC,
        today=today,
        **{**given, **fields},
    )


def repair(listing=None, *, received_on=None, today=None, by=None, **fields):
    """An application for repair of an entry that may be repaired; returns (matter, query code)."""
    today = today or timezone.localdate()
    listing = listing or repairable(today=today)
    given = {
        "applicant": APPLICANT,
        "statement": "拖欠工资已全部付清，劳动者均已签收，附支付凭证。",
        "commitment": "本单位承诺所交材料真实，今后依法用工、按时支付工资。",
        "papers": [(kind, None) for kind in listing.category.repair_evidence],
        "received_on": received_on or today,
    }
    return repairs.apply(
        listing, actor=Actor.of(by) if by else PUBLIC, today=today, **{**given, **fields}
    )


def repairable(*, today=None, **fields):
    """A black entry still public on `today` whose repair may be asked for already."""
    today = today or timezone.localdate()
    fields = {"category": "M09", "unit": "zrzy", **fields}
    return published_black(today=add_months(today, -13), **fields)


# ── reports ───────────────────────────────────────────────────────────────────────────────────

REPORTER = {"name": "示例举报人", "phone": "0435-1111111", "email": "reporter@example.cn"}
PASSPHRASE = "示例口令，足够长，谁也猜不到"  # noqa: S105 - of the tests' vault


def vault_officer(username="fgw-vault"):
    return officer("fgw", Role.VAULT.value, username=username)


def vault_key(user=None, passphrase=PASSPHRASE):
    """The key of a vault officer, the same one each time asked."""
    user = user or vault_officer()
    known = VaultKey.objects.of_officer(user)
    actor = Actor.of(user)
    return known or tipoffs.make_key(passphrase=passphrase, actor=actor, lead_unit="fgw")


def report(unit="", *, named=False, today=None, pictures=(), **fields):
    """A report as its reporter sends it: (report, receipt code); handed out to `unit` if named."""
    today = today or timezone.localdate()
    if named:
        vault_key()
    given = {
        "facts": "2026年5月以来拖欠工资，多次催要，老板拒不支付。",
        "about": "通化示例建筑有限公司",
        "reporter": REPORTER if named else None,
        "pictures": pictures,
        "lead_unit": "fgw",
    }
    filed, code = tipoffs.file(today=today, **{**given, **fields})
    return (handed_out(filed, unit, today=today) if unit else filed), code


def handed_out(filed, unit="rsj", *, today=None):
    """A new report, handed out to a department by the lead unit's clerk."""
    return tipoffs.assign(
        filed,
        department=department(unit),
        text="请核查。",
        actor=Actor.of(clerk("fgw")),
        today=today or timezone.localdate(),
    )


def concluded(filed, unit="rsj", *, today=None):
    """A report that was handed out, looked into and found true."""
    actor, today = Actor.of(clerk(unit)), today or timezone.localdate()
    filed = tipoffs.investigate(filed, actor=actor)
    given = {"outcome": "confirmed", "findings": "经核查，拖欠事实属实，已责令限期支付。"}
    return tipoffs.conclude(filed, actor=actor, today=today, **given)


def informed(filed, unit="rsj", *, today=None):
    """The same, its reporter told."""
    filed = concluded(filed, unit, today=today)
    return tipoffs.inform(
        filed,
        text="您举报的事属实，已责令限期支付工资。",
        actor=Actor.of(clerk(unit)),
        today=today or timezone.localdate(),
    )


# ── machines ──────────────────────────────────────────────────────────────────────────────────


class Machine:
    """A program that speaks to the API with a key of its own, as `user`'s."""

    def __init__(self, user, *scopes):
        self.user = user
        self.client = APIClient()
        self.client.credentials(HTTP_AUTHORIZATION=f"Api-Key {api_key(user, *scopes)}")

    def get(self, path, expect=200, headers=None, **parameters):
        answer = self.client.get(f"/api/v1{path}", parameters, headers=headers)
        return self._told(answer, path, expect)

    def post(self, path, body=None, status=200, headers=None):
        answer = self.client.post(f"/api/v1{path}", body or {}, "json", headers=headers)
        return self._told(answer, path, status)

    def _told(self, answer, path, status):
        assert answer.status_code == status, (path, answer.status_code, answer.content.decode())
        return answer.json() if answer.content else None


def endpoint(unit="rsj", *, url=None, events=None):
    """An endpoint of the unit's clerk that is told of everything: (endpoint, its secret)."""
    return webhooks.add_endpoint(
        url=url or f"https://1.1.1.1/{next(numbers)}",
        events=events or Occasion.values,
        actor=Actor.of(clerk(unit)),
    )


def black_body(subject=None, *, category="M05", today=None, **fields):
    """What a machine posts for a complete black draft whose defence is over on `today`."""
    today = today or timezone.localdate()
    served = today - 25 * DAY
    return {
        "list": "black",
        "subject": subject or {"name": "通化示例建筑有限公司", "code": code_of(next(numbers))},
        "category": category,
        "degree": "serious",
        "document": {
            "number": f"吉通示决字〔{today.year}〕第{next(numbers)}号",
            "kind": "行政处理决定书",
            "organ": "通化市示例人力资源和社会保障局",
            "date": str(today - 40 * DAY),
        },
        "ground": "拖欠 37 名农民工工资共 86.4 万元，经责令限期支付，逾期未付。",
        "prior_notice": {
            "served_on": str(served),
            "means": "direct",
            "defence_until": str(add_working_days(served, 5)),
        },
        **fields,
    }
