"""The rules: loaded from the tables that ship with the portal, and kept version by version."""

from rulebook.services.category import CategoryRule, field_in_use, rule_of, rules_of
from rulebook.services.seed import seed_demo_units, seed_rules
from rulebook.services.versions import VERSIONED, differences, record_version, record_versions

__all__ = [
    "VERSIONED",
    "CategoryRule",
    "differences",
    "field_in_use",
    "record_version",
    "record_versions",
    "rule_of",
    "rules_of",
    "seed_demo_units",
    "seed_rules",
]
