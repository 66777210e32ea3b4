"""How an entry gets on the black list: draft, notice served, defence heard, second officer."""

from blacklist.services.draft import draft, edit
from blacklist.services.letters import issue_notice
from blacklist.services.notice import record_defence, serve_notice
from blacklist.services.persons import name_responsible_persons
from blacklist.services.publish import missing, publish, publish_many
from blacklist.services.repair import RepairTerms, repair_from, repair_terms

__all__ = [
    "RepairTerms",
    "draft",
    "edit",
    "issue_notice",
    "missing",
    "name_responsible_persons",
    "publish",
    "publish_many",
    "record_defence",
    "repair_from",
    "repair_terms",
    "serve_notice",
]
