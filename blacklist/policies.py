"""Who may do what on the black list."""

from listings import policies as entries


def may_serve_notice(user, listing):
    return entries.may_edit(user, listing)


def may_publish(user, listing):
    """A reviewer of the department other than everyone who wrote part of the draft."""
    return entries.may_approve(user, listing)
