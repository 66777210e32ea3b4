"""Is what somebody holds in hand ours? One question for whatever the portal issues."""

from dataclasses import dataclass

from casework.models import Letter
from jointaction.models import Check
from portal.models import CreditReport


@dataclass(frozen=True)
class Issued:
    """Something that this portal issued; `trusted` is who holds it, not who knows its number."""

    kind: str  # its partial template: portal/_verify_<kind>.html
    thing: object
    trusted: bool = True


def issued(text):
    """What was issued under the code or number that somebody typed, or None."""
    plain = "".join(sign for sign in text.upper() if sign.isalnum())
    finders = (
        ("letter", Letter.objects.with_parts().filter(verify_code=plain), True),
        ("report", CreditReport.objects.filter(verify_code=plain), True),
        ("check", Check.objects.select_related("unit").filter(code=plain), True),
        ("check", Check.objects.select_related("unit").of_number(plain), False),
    )
    for kind, rows, trusted in finders:
        if thing := rows.first():
            return Issued(kind, thing, trusted)
    return None
