"""What every filing begins with: a number, a query code told once, a sealed way to reach them."""

import json

from casework.services.numbers import take_number
from parties import sealing


def new_filing(model, *, prefix, series, applicant, received_on, **fields):
    """An unsaved filing with its number and its query code, told once; returns both.

    `applicant` holds name, phone and perhaps email and agent. Only a keyed digest of the
    query code is kept. The number's counter stays locked until the transaction ends.
    """
    number = take_number(series, received_on.year)
    filing = model(
        number=f"{prefix}-{received_on.year}-{number:06}",
        applicant_name=applicant["name"].strip(),
        agent_name=(applicant.get("agent") or "").strip(),
        received_on=received_on,
        **fields,
    )
    query_code = sealing.new_code()
    filing.query_code_key_id, filing.query_code_digest = sealing.blind_index(
        query_code, purpose="query"
    )
    contact = {name: applicant.get(name, "") for name in ("phone", "email")}
    filing.contact_key_id, filing.contact_sealed = sealing.seal(
        json.dumps(contact), **_place(filing)
    )
    return filing, query_code


def contact_of(filing, *, actor, purpose):
    """The applicant's {phone, email}; the reading is logged with its purpose."""
    contact = sealing.unseal(
        filing.contact_sealed,
        filing.contact_key_id,
        **_place(filing),
        actor=actor,
        purpose=purpose,
    )
    return json.loads(contact)


def _place(filing):
    return {"table": filing._meta.db_table, "row": filing.public_id, "field": "contact"}
