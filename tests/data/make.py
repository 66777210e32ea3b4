"""The files beside this one: made-up firms (示例) with valid codes, and every kind of flaw.

`python -m tests.data.make` writes them anew, always the same. Each table is (header, rows,
{row number as a spreadsheet shows it: the code of what is wrong with it}).
"""

import csv
import random
from datetime import date, datetime, timedelta
from pathlib import Path

from xlsxwriter import Workbook

FOLDER = Path(__file__).parent
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
BRANDS = (
    "长白",
    "鸭绿",
    "浑江",
    "玉皇",
    "靖宇",
    "辉南",
    "柳河",
    "集安",
    "梅河",
    "东昌",
    "二道",
    "金厂",
)
TRADES = (
    "酒业",
    "建筑工程",
    "医药",
    "人参制品",
    "物业服务",
    "运输",
    "食品",
    "木业",
    "矿业",
    "劳务",
)
FORMS = ("有限公司", "有限责任公司", "股份有限公司", "农民专业合作社", "商贸行")


def titles(text):
    return text.split(",")


ADULT = "11010519491231002X"  # the standard's own example

RECORD_HEADER = titles(
    "行政相对人名称,行政相对人类别,统一社会信用代码,法定代表人,证件类型,证件号码,行政处罚决定书文号,"
    "违法行为类型,违法事实,处罚依据,处罚类别,处罚内容,罚款金额（万元）,处罚决定日期,处罚有效期,"
    "公示截止期,处罚机关,数据来源单位,备注"
)
RECORD_CODES = titles(
    "cf_xdr_mc,cf_xdr_lb,cf_xdr_shxym,cf_frdb,cf_xdr_zjlx,cf_xdr_zjhm,cf_wsh,cf_wfxw,cf_sy,cf_yj,"
    "cf_cflb,cf_nr,cf_nr_fk,cf_jdrq,cf_yxq,cf_gsjzq,cf_cfjg,cf_sjly,bz"
)
BLACK_HEADER = titles(
    "主体类别,主体名称,统一社会信用代码,法定代表人,证件号码,认定部门,认定依据,有效期至,认定理由,"
    "文书文号,文书种类,作出机关,文书日期,失信行为代码,失信程度,移出日期,告知送达日期,送达方式,"
    "陈述申辩截止,收到陈述申辩日期,陈述申辩意见,陈述申辩答复"
)
RED_HEADER = titles(
    "主体类别,名单类型,主体名称,统一社会信用代码,法定代表人,认定部门,认定日期,有效期至,认定理由,"
    "推荐来源,推荐单位,公示开始,公示截止,部门编号"
)
NEVER = "2999-01-01"


def code(number, prefix="91220501MA"):
    """A code with the right check symbol; the number makes it one of a kind."""
    body = f"{prefix}{number:0{17 - len(prefix)}d}"
    total = sum(ALPHABET.index(s) * w for s, w in zip(body, WEIGHTS, strict=True))
    return body + ALPHABET[-total % 31]


def firms(count):
    """[(name, code)]: companies, and a rural collective and a sole trader in every ten."""
    dice = random.Random(20261123)  # noqa: S311 - made-up firms, always the same
    made = []
    for number in range(1, count + 1):
        name = f"通化示例{dice.choice(BRANDS)}{dice.choice(TRADES)}{number}号{dice.choice(FORMS)}"
        prefix = {3: "N2220581MF", 7: "92220501MA"}.get(number % 10, "91220501MA")
        made.append((name, code(number, prefix)))
    return made


def spelled(day, style):
    """A day in one of the forms that people use."""
    forms = (
        "{0:%Y-%m-%d}",
        "{0.year}/{0.month}/{0.day}",
        "{0:%Y%m%d}",
        "{0.year}年{0.month}月{0.day}日",
    )
    return forms[style % len(forms)].format(day)


def _table(header, good, flawed):
    """Good rows with flawed ones strewn among them, a blank line and trailing blanks."""
    rows, expected = [list(row) for row in good], {}
    step = max(len(rows) // (len(flawed) + 1), 1)
    for index, (why, row) in enumerate(flawed):
        place = (index + 1) * step + index
        rows.insert(place, list(row))
        expected[place] = why
    blank = 5
    rows.insert(blank, [""] * len(header))
    rows[1][0] += "  "
    shown = {place + (place >= blank) + 2: why for place, why in expected.items()}
    return header, rows, shown


def records():
    """Penalties: 120 good rows, of which two are the same, and what may be wrong with one."""
    good = [_record(number, name, known) for number, (name, known) in enumerate(firms(118), 1)]
    good.append(_record(900, "示例人甲", "", 行政相对人类别="自然人", 证件号码=ADULT))
    good.append(list(good[10]))
    (name, known), (other, other_code) = firms(2)
    trouble = {
        "bad_check_symbol": {"统一社会信用代码": known[:-1] + _wrong(known[-1])},
        "bad_check_symbol#transposed": {"统一社会信用代码": _transposed(known)},
        "bad_format": {"统一社会信用代码": known[:8] + "I" + known[9:]},
        "bad_format#short": {"统一社会信用代码": known[:17]},
        "no_code": {"统一社会信用代码": ""},
        "required": {"行政相对人名称": ""},
        "required#document": {"行政处罚决定书文号": ""},
        "name_differs": {"行政相对人名称": "通化示例鸿达商贸有限公司"},
        "future_date": {"处罚决定日期": NEVER},
        "bad_date": {"处罚决定日期": "2026-02-30"},
        "bad_date#words": {"处罚决定日期": "去年三月"},
        "too_long": {"违法事实": "示例" * 10_001},
        "negative_amount": {"罚款金额（万元）": "-1.5"},
        "bad_amount": {"罚款金额（万元）": "一万五"},
        "formula": {"行政相对人名称": "=cmd|' /C calc'!A0"},
        "bad_character": {"备注": "示例\0示例"},
        "bad_choice": {"行政相对人类别": "外星人"},
    }
    flawed = [
        (why.partition("#")[0], _record(500 + i, name, known, **change))
        for i, (why, change) in enumerate(trouble.items())
    ]
    person = {"行政相对人类别": "自然人"}
    for i, (why, number) in enumerate(
        (
            ("bad_check_symbol", "110105194912310021"),
            ("bad_date", "220502202602300016"),
            ("bad_format", "11010519491231"),
            ("no_paper", ""),
        )
    ):
        flawed.append((why, _record(600 + i, "示例人乙", "", **person, 证件号码=number)))
    again = _record(2, other, other_code, 处罚内容="同一文号，另一内容")
    flawed.append(("duplicate_in_file", again))
    return _table(RECORD_HEADER, good, flawed)


def _record(number, name, known, **change):
    decided = date(2026, 3, 1) - timedelta(days=number % 300)
    row = dict.fromkeys(RECORD_HEADER, "") | {
        "行政相对人名称": name,
        "统一社会信用代码": known,
        "法定代表人": "示例",
        "行政处罚决定书文号": f"通市监罚〔2026〕{number}号",
        "违法行为类型": "违反食品安全管理规定",
        "违法事实": "销售超过保质期的食品，\n货值 300 元。",
        "处罚依据": "《中华人民共和国食品安全法》第一百二十四条",
        "处罚类别": "罚款;没收违法所得",
        "处罚内容": "罚款人民币一万五千元",
        "罚款金额（万元）": ("1.5", "0.300000", "1,200", "")[number % 4],
        "处罚决定日期": spelled(decided, number),
        "公示截止期": spelled(decided + timedelta(days=365), number + 1),
        "处罚机关": "通化市市场监督管理局",
    }
    return list((row | change).values())


def _transposed(known):
    """The code with two neighbouring digits exchanged."""
    place = next(i for i in range(9, 17) if known[i] != known[i + 1])
    return known[:place] + known[place + 1] + known[place] + known[place + 2 :]


def black():
    """Wage arrears: 80 rows that may be published, 20 that stay drafts, and flawed ones."""
    known = firms(220)[118:]
    good = [_black(number, *firm) for number, firm in enumerate(known[:80], 1)]
    held = (
        {"失信程度": "一般"},
        {"失信程度": ""},
        {"陈述申辩截止": ""},
        {"告知送达日期": "", "送达方式": "", "陈述申辩截止": ""},
        {"陈述申辩截止": NEVER},
        {"收到陈述申辩日期": "2026-03-12", "陈述申辩意见": "示例意见", "陈述申辩答复": ""},
        {"认定理由": ""},
        {"文书日期": ""},
        {"作出机关": ""},
        {"文书种类": ""},
    )
    good += [_black(100 + i, *known[80 + i], **held[i % len(held)]) for i in range(2 * len(held))]
    good.append(list(good[3]))
    firm = known[0]
    trouble = {
        "no_document": {"文书文号": ""},
        "bad_check_symbol": {"统一社会信用代码": code(9_999)[:-1] + _wrong(code(9_999)[-1])},
        "name_differs": {"主体名称": "通化示例宏达建筑工程有限公司"},
        "other_department": {"认定部门": "通化市示例局"},
        "unknown_basis": {"认定依据": "《示例法》"},
        "bad_choice": {"失信程度": "特别严重"},
        "misconduct_differs": {"失信行为代码": "H01"},
        "removed": {"移出日期": "2026-05-01"},
        "future_date": {"文书日期": NEVER},
        "future_date#served": {"告知送达日期": NEVER, "陈述申辩截止": ""},
        "bad_date": {"告知送达日期": "2026-13-01"},
        "defence_too_short": {"告知送达日期": "2026-03-02", "陈述申辩截止": "2026-03-06"},
        "term_over": {"有效期至": "2020-01-01"},
        "duplicate_in_file": {"文书文号": "通人社监罚字〔2026〕1号", "认定理由": "另一内容"},
    }

    flawed = [
        (why.partition("#")[0], _black(300 + i, *firm, **change))
        for i, (why, change) in enumerate(trouble.items())
    ]
    return _table(BLACK_HEADER, good, flawed)


def _wrong(symbol):
    return "A" if symbol != "A" else "B"


def _black(number, name, known, **change):
    row = dict.fromkeys(BLACK_HEADER, "") | {
        "主体名称": name,
        "统一社会信用代码": known,
        "法定代表人": "示例",
        "认定部门": "通化市人力资源和社会保障局",
        "认定理由": f"拖欠 {number} 名农民工工资，经责令限期改正仍不支付。",
        "文书文号": f"通人社监罚字〔2026〕{number}号",
        "文书种类": "行政处罚决定书",
        "作出机关": "通化市人力资源和社会保障局",
        "文书日期": spelled(date(2026, 2, 25), number),
        "失信行为代码": "M05",
        "失信程度": "严重",
        "告知送达日期": spelled(date(2026, 3, 2), number),
        "送达方式": ("直接送达", "邮寄送达", "公告送达")[number % 3],
        "陈述申辩截止": spelled(date(2026, 3, 16), number),
    }
    if number % 4 == 0:
        row |= {
            "收到陈述申辩日期": "2026-03-10",
            "陈述申辩意见": "示例意见",
            "陈述申辩答复": "示例答复",
        }
    return list((row | change).values())


def red():
    """Nominations: 30 whose public notice is over, some without one, and flawed ones."""
    known = firms(280)[220:]
    good = [_red(number, *firm) for number, firm in enumerate(known[:30], 1)]
    good += [_red(40 + i, *known[30 + i], 公示开始="", 公示截止="") for i in range(5)]
    good += [_red(50 + i, *known[40 + i], 公示截止=NEVER) for i in range(5)]
    firm = known[0]
    trouble = {
        "other_list": {"名单类型": "黑名单"},
        "bad_choice": {"推荐来源": "RS9"},
        "required": {"公示截止": ""},
        "notice_too_short": {"公示开始": "2026-03-02", "公示截止": "2026-03-04"},
        "future_date": {"认定日期": NEVER},
        "bad_format": {"统一社会信用代码": "通化示例"},
    }
    flawed = [
        (why, _red(300 + i, *firm, **change)) for i, (why, change) in enumerate(trouble.items())
    ]
    return _table(RED_HEADER, good, flawed)


def _red(number, name, known, **change):
    row = dict.fromkeys(RED_HEADER, "") | {
        "名单类型": "红名单",
        "主体名称": name,
        "统一社会信用代码": known,
        "认定日期": "2026-03-20",
        "认定理由": "连续三年信用分类监管评价良好。",
        "推荐单位": "通化市示例协会",
        "公示开始": spelled(date(2026, 3, 2), number),
        "公示截止": spelled(date(2026, 3, 16), number),
        "部门编号": f"示例-{number}",
    }
    return list((row | change).values())


def write_csv(path, header, rows, encoding):
    with Path(path).open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([header, *rows])


def write_xlsx(path, header, rows):
    """A sheet with codes as headers in another order, and real dates and numbers in its cells."""
    order = list(range(len(header)))
    random.Random(1).shuffle(order)  # noqa: S311 - an order, always the same
    with Workbook(str(path), {"strings_to_formulas": False}) as book:
        book.set_properties({"created": datetime(2026, 11, 23)})  # noqa: DTZ001 - a file's label
        sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy/m/d"})
        for place, column in enumerate(order):
            sheet.write_string(0, place, header[column])
            for row, cells in enumerate(rows, start=1):
                _write_cell(sheet, row, place, cells[column], day)


def _write_cell(sheet, row, place, text, day):
    text = text.replace("\0", "")[:30_000]
    try:
        sheet.write_datetime(row, place, datetime.strptime(text, "%Y-%m-%d"), day)  # noqa: DTZ007
    except ValueError:
        if text.replace(".", "", 1).isdigit() and len(text) < 10:
            sheet.write_number(row, place, float(text))
        elif text:
            sheet.write_string(row, place, text)


def write(folder=FOLDER):
    header, rows, _expected = records()
    write_csv(folder / "records.csv", header, rows, "utf-8-sig")
    write_csv(folder / "records_gb18030.csv", header, rows, "gb18030")
    write_xlsx(folder / "records.xlsx", RECORD_CODES, rows)
    header, rows, _expected = black()
    write_csv(folder / "black.csv", header, rows, "utf-8")
    write_xlsx(folder / "black.xlsx", header, rows)
    header, rows, _expected = red()
    write_csv(folder / "red.csv", header, rows, "utf-8")
    (folder / "wrong_encoding.csv").write_bytes(b"\xff\xff\x00 \xd8\x00" * 100)
    write_csv(folder / "unknown_headers.csv", ["甲", "乙"], [["通化示例有限公司", "1"]], "utf-8")


if __name__ == "__main__":
    write()
