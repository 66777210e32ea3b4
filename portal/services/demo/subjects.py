"""Made-up firms, traders, rural collectives and persons, each with a number that checks."""

from itertools import count

from parties import services as parties
from parties.identity import (
    CODE_ALPHABET,
    CODE_VALUES,
    CODE_WEIGHTS,
    ORGANISATION_WEIGHTS,
)
from parties.models import PaperType, Subject
from portal.services.demo import texts

RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class People:
    """Makes subjects, each once: names are put together from parts, numbers are counted."""

    def __init__(self, rng):
        self.rng = rng
        self.numbers = count(1)
        self.taken = set()

    def firm(self, trades, *, trader=0):
        """A firm of one of the trades, or, with the probability `trader`, a sole trader."""
        trade = self.rng.choice(trades)
        if self.rng.random() < trader:
            return self._organisation(trade, "92", "{brand}示例{trade}", Subject.Kind.SOLE_TRADER)
        registrar, form, letters = self._form(trade)
        return self._organisation(trade, registrar, form, letters=letters)

    def _form(self, trade):
        """Mostly a company; now and then a cooperative, a rural collective or another body."""
        chance = self.rng.random()
        if chance < 0.06:
            return "N2", "{brand}示例村股份经济合作社", "MF"
        if chance < 0.08:
            return "Y1", "{brand}示例{trade}联合体", "MG"
        if chance < 0.4 and trade in texts.table("names")["cooperative"]:
            return "93", "{brand}示例{trade}专业合作社", "MA"
        return "91", "{brand}示例{trade}有限公司", "MA"

    def person(self):
        """A person with a number of region 220502 whose birthday, in 1900, nobody alive has."""
        number = resident_number(next(self.numbers))
        return parties.person(self.person_name(), PaperType.RESIDENT_ID, number)

    def responsible(self, role, fact, basis):
        """A responsible person as `blacklist.services` takes one."""
        return {
            "name": self.person_name(),
            "id_type": PaperType.RESIDENT_ID.value,
            "id_number": resident_number(next(self.numbers)),
            "role": role,
            "fact": fact,
            "basis": basis,
        }

    def person_name(self):
        return f"{self.rng.choice(texts.surnames())}示例"

    def _organisation(self, trade, registrar, form, kind=Subject.Kind.ORGANIZATION, letters="MA"):
        place, region = self._place_and_region(trade, form)
        name = place[0] + form.format(brand=place[1], trade=trade)
        self.taken.add(name)
        return parties.organisation(
            code_of(registrar + region, letters, next(self.numbers)),
            name,
            kind=kind,
            legal_representative=self.person_name(),
        )

    def _place_and_region(self, trade, form):
        """A place and a brand that make a name nobody has yet, and the place's region."""
        while True:
            place, region = self.rng.choice(texts.table("names")["places"])
            brand = self.rng.choice(texts.table("names")["brands"])
            if place + form.format(brand=brand, trade=trade) not in self.taken:
                return (place, brand), region


def code_of(start, letters, number):
    """A unified social credit code: eight signs, an organisation code with its check, a check."""
    organisation = f"{letters}{number:06}"
    total = sum(
        int(sign, 36) * weight
        for sign, weight in zip(organisation, ORGANISATION_WEIGHTS, strict=True)
    )
    body = start + organisation + "0123456789X0"[11 - total % 11]
    total = sum(CODE_VALUES[sign] * weight for sign, weight in zip(body, CODE_WEIGHTS, strict=True))
    return body + CODE_ALPHABET[-total % 31]


def resident_number(number):
    day, order = divmod(number, 900)
    body = f"22050219000{1 + day}01{order:03}"
    total = sum(int(sign) * weight for sign, weight in zip(body, RESIDENT_WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]
