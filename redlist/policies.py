"""Who may do what on the red list."""

from listings import policies as entries


def may_nominate(user, listing):
    return entries.may_edit(user, listing)


def may_decide_review(user, review):
    """A reviewer of the department who wrote no part of the entry."""
    return entries.may_approve(user, review.listing)


def may_recognise(user, listing):
    """A reviewer of the department other than everyone who wrote part of the draft."""
    return entries.may_approve(user, listing)
