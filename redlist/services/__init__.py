"""Every write to the red list: nomination, recognition, review; and who is eligible."""

from redlist.services.eligibility import Eligibility, eligibility, eligible_many
from redlist.services.nomination import (
    announce,
    draft,
    edit,
    missing,
    publish,
    publish_many,
)
from redlist.services.review import chase_reviews, keep, review_black_listed, screen_nominations

__all__ = [
    "Eligibility",
    "announce",
    "chase_reviews",
    "draft",
    "edit",
    "eligibility",
    "eligible_many",
    "keep",
    "missing",
    "publish",
    "publish_many",
    "review_black_listed",
    "screen_nominations",
]
