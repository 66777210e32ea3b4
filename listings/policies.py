"""Who may do what with an entry. Pure answers; the services ask."""

from listings.models import Listing, SubjectChange
from parties.models import Role


def may_draft(user, category):
    """A clerk or reviewer of a department that may list under the category."""
    return (
        user.has_role(Role.CLERK, Role.REVIEWER)
        and user.department_id is not None
        and category.departments.filter(pk=user.department_id).exists()
    )


def may_edit(user, listing):
    return user.has_role(Role.CLERK, Role.REVIEWER) and user.works_for(listing.department_id)


def may_import(user, department_id):
    """Files are brought by a clerk or reviewer of the department whose rows they hold."""
    return user.has_role(Role.CLERK, Role.REVIEWER) and user.works_for(department_id)


def may_approve(user, listing):
    """Four eyes: a reviewer of the department who wrote no part of the draft."""
    return may_review(user, listing) and not user.speaks_for & listing.author_ids()


def may_review(user, listing):
    """A reviewer of the department; whether they wrote the draft is asked apart."""
    return user.has_role(Role.REVIEWER) and user.works_for(listing.department_id)


def may_erase(user):
    """Content leaves the ledger by the platform operator's hand alone."""
    return user.has_role(Role.OPERATOR)


def may_exchange(user):
    """Whose lists the portal takes in is the platform operator's to say."""
    return user.has_role(Role.OPERATOR)


def may_see_exchange(user):
    return may_exchange(user) or user.sees_all


def may_decide_proposal(user, proposal):
    return (
        user.has_role(Role.REVIEWER)
        and user.works_for(proposal.listing.department_id)
        and proposal.proposed_by_id not in user.speaks_for
    )


def may_read(user, listing, today):
    """Public entries are everybody's; drafts and ended ones their department's."""
    return listing.is_public(today) or user.sees_all or user.works_for(listing.department_id)


def is_concerned(user, subject):
    """Whether the user's department has an entry or a draft about the subject."""
    return (
        user.department_id is not None
        and Listing.objects.filter(subject=subject, department=user.department_id).exists()
    )


def may_see_subject(user, subject):
    return user.sees_all or user.has_role(Role.OPERATOR) or is_concerned(user, subject)


def may_propose_rename(user, subject):
    """An officer of a department that lists the subject, or the platform operator."""
    if user.has_role(Role.OPERATOR):
        return True
    return user.has_role(Role.CLERK, Role.REVIEWER) and is_concerned(user, subject)


def may_propose_merge(user):
    """Which records are of one subject is a matter of the platform as a whole."""
    return user.has_role(Role.OPERATOR)


def may_decide_subject_change(user, change):
    """Four eyes: an operator, or of a new name a reviewer it concerns; never who proposed it."""
    if change.proposed_by_id in user.speaks_for:
        return False
    if user.has_role(Role.OPERATOR):
        return True
    rename = change.action == SubjectChange.Action.RENAME
    return rename and user.has_role(Role.REVIEWER) and is_concerned(user, change.subject)
