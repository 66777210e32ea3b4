"""What the figures are measured on: so many entries in force, made once and kept.

Names, codes and papers are made up under a fixed seed; every entry has its change in the
ledger, as publication would have left it.
"""

import datetime
import hashlib
import io
import json
import random
import time
import uuid

from django.db import connection, transaction
from django.utils import timezone

from casework.moves import record_many
from listings import ledger
from listings.models import Listing, MeasureSet
from listings.services import measures_for
from parties import identity, sealing
from parties.identity import CODE_ALPHABET, CODE_VALUES, CODE_WEIGHTS
from parties.models import Actor, Department, Subject
from rulebook.models import ListCategory

BATCH = 5_000
UNITS = 40
SEED = 20180620
MAKER = Actor(label="bench")
# Beyond the day on which the expiry figure takes its own entries off the list.
FIRST_END, LAST_END = 3_000, 4_000

PLACES = [
    "通化",
    "长春",
    "吉林市",
    "四平",
    "辽源",
    "白山",
    "松原",
    "白城",
    "延边",
    "梅河口",
    "集安",
    "辉南",
]
SIGNS = (
    "安宝北本博昌长成城诚创春达德鼎东都发方丰峰福富港高格冠光广国海昊和恒弘宏鸿华辉汇慧"
    "吉佳嘉建健江捷金锦晶景久聚君凯康科朗乐力立利联良林龙隆鲁茂美民明铭南宁鹏平普奇启千"
    "乾强庆全泉仁荣瑞润森山尚胜盛实世顺思松泰腾天通同万旺威维伟文祥新鑫信兴星旭亚阳一怡"
    "义亿益银永优友裕元远源悦云运泽展兆振正志智中忠众洲卓"
)
TRADES = [
    "建筑工程",
    "商贸",
    "食品",
    "医药",
    "物流",
    "农业开发",
    "装饰装修",
    "机械制造",
    "信息技术",
    "餐饮管理",
    "房地产开发",
    "物业服务",
    "环保科技",
    "劳务派遣",
    "文化传媒",
    "汽车销售",
    "木业",
    "酒业",
    "人参制品",
    "建材",
    "电子商务",
    "旅游服务",
    "化工",
    "矿业",
    "教育咨询",
    "园林绿化",
    "水利水电",
    "市政工程",
    "纺织",
    "印刷",
]
FORMS = ("有限公司", "有限责任公司", "股份有限公司", "有限公司", "有限公司", "厂", "专业合作社")
FAMILY = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"


def code_of(number, head="91220501K"):
    """A made-up code with the right check symbol: nine signs and eight digits of `number`."""
    body = f"{head}{number:08d}"
    total = sum(CODE_VALUES[s] * weight for s, weight in zip(body, CODE_WEIGHTS, strict=True))
    return body + CODE_ALPHABET[-total % 31]


def ensure(size):
    """Make what lacks of `size` entries in force: 5 % black, 40 units, 3 % persons."""
    have = Subject.objects.filter(code__startswith="91220501K").count()
    have += Subject.objects.filter(kind=Subject.Kind.PERSON, paper_key_id="bench").count()
    if have >= size:
        return
    began, maker = time.perf_counter(), _Maker(timezone.localdate())
    for start in range(have, size, BATCH):
        maker.make(range(start, min(start + BATCH, size)))
        if start % 100_000 == 0:
            print(f"  {start:,} of {size:,} entries", flush=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    print(f"  {size:,} entries made in {time.perf_counter() - began:.0f} s", flush=True)


class _Maker:
    def __init__(self, today):
        self.today = today
        self.units = _units()
        categories = ListCategory.objects.select_related("misconduct", "basis")
        self.black = list(categories.filter(kind="black"))
        self.red = list(categories.filter(kind="red", code__lt="RS6"))
        self.sets = {}

    @transaction.atomic
    def make(self, numbers):
        """One batch of subjects with an entry each, journal and ledger included."""
        random_of = random.Random(SEED + numbers.start)
        subjects = [_subject(number, random_of) for number in numbers]
        _copy_in(subjects)
        entries = [self._entry(subject, random_of) for subject in subjects]
        _copy_in(entries)
        record_many(Listing, [entry.pk for entry in entries], "publish", actor=MAKER)
        ledger.append([ledger.Entry(entry, "publish") for entry in entries])

    def _entry(self, subject, random_of):
        black = random_of.random() < 0.05
        category = random_of.choice(self.black if black else self.red)
        since = self.today - datetime.timedelta(days=random_of.randrange(700))
        entry = Listing(
            status="published",
            version=2,
            kind=category.kind,
            origin="220500",
            subject=subject,
            category=category,
            misconduct=category.misconduct,
            degree="serious" if black else "",
            department=random_of.choice(self.units),
            ground="示例：连续三年监督检查合格。" if not black else "示例：经责令改正，逾期未改。",
            basis=category.basis,
            basis_article=category.basis_article,
            term_months=category.term_months,
            published_on=since,
            visible_until=self.today
            + datetime.timedelta(days=random_of.randrange(FIRST_END, LAST_END)),
            rule_version=category.version,
            bigrams=[] if subject.is_person else identity.bigrams(subject.name),
        )
        if black:
            entry.document_number = f"示例决字〔{since.year}〕{subject.pk}号"
            entry.document_kind, entry.document_organ = "行政处罚决定书", str(entry.department)
            entry.document_date = since - datetime.timedelta(days=30)
        entry.measure_set = self._measures(entry)
        return entry

    def _measures(self, entry):
        key = (entry.category_id, entry.department_id, entry.subject.is_person)
        if key not in self.sets:
            measures = measures_for(entry, self.today)
            digest = hashlib.sha256(ledger.canonical(measures)).hexdigest()
            self.sets[key] = MeasureSet.objects.get_or_create(
                digest=digest, defaults={"measures": measures}
            )[0]
        return self.sets[key]


def _copy_in(rows):
    """COPY unsaved rows of one model into its table, with keys taken from its sequence."""
    meta = rows[0]._meta
    fields = [(field.attname, field) for field in meta.concrete_fields]
    columns = ", ".join(field.column for _name, field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [meta.db_table, len(rows)],
        )
        for row, (pk,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = pk
        text = "\n".join(
            "\t".join([_as_text(row.__dict__[name]) for name, _field in fields]) for row in rows
        )
        cursor.copy_expert(f"COPY {meta.db_table} ({columns}) FROM STDIN", io.StringIO(text))


def _as_text(value):
    """A value as COPY reads it; nothing made here holds a tab or a backslash."""
    if value is None:
        return r"\N"
    if isinstance(value, bytes):
        return rf"\\x{value.hex()}"
    if isinstance(value, list):
        return "{" + ",".join(value) + "}"
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _units():
    """Forty departments: those of the rules, and made-up ones to make up the number."""
    known = list(Department.objects.order_by("code"))
    for number in range(len(known), UNITS):
        name = f"示例单位{number}"
        known.append(
            Department.objects.get_or_create(
                code=f"bench-{number}",
                defaults={
                    "name": name,
                    "short_name": name,
                    "name_en": f"Example unit {number}",
                    "kind": Department.Kind.ORGAN,
                    "region": "220500",
                },
            )[0]
        )
    return known[:UNITS]


def _subject(number, random_of):
    if random_of.random() < 0.03:
        name = random_of.choice(FAMILY) + "示例"
        return Subject(
            kind=Subject.Kind.PERSON,
            name=name,
            name_normalised=name,
            paper_type="resident_id",
            paper_sealed=b"",
            paper_key_id="bench",
            paper_index=sealing.blind_index(f"resident_id:bench-{uuid.uuid4()}")[1],
            paper_index_key_id="bench",
        )
    brand = "".join(random_of.choices(SIGNS, k=random_of.choice((2, 2, 2, 3))))
    trade, form = random_of.choice(TRADES), random_of.choice(FORMS)
    name = f"{random_of.choice(PLACES)}{brand}示例{trade}{form}"
    return Subject(
        kind=Subject.Kind.ORGANIZATION,
        code=code_of(number),
        name=name,
        name_normalised=identity.normalise_name(name),
        region="220501",
    )
