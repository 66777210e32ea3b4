"""The journal of accounts."""

from parties.models import AccountEvent


def note(account, action, *, actor, note="", key=None):
    """Write a line of the journal of an account, of one about a `key` in that one's as well."""
    return AccountEvent.objects.create(
        account=account,
        department_id=account.department_id,
        action=action,
        key_prefix=key.prefix if key else "",
        note=note,
        **actor.columns,
    )
