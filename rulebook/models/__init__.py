"""Law as rows: what a new notice of the government can change is changed here, not in code."""

from rulebook.models.laws import Degree, LegalBasis, ListKind, ResponsibleRole
from rulebook.models.lists import CategoryField, CategoryTerm, DegreeTerm, ListCategory
from rulebook.models.measures import Measure, Misconduct
from rulebook.models.memoranda import Memorandum, MemorandumMeasure
from rulebook.models.parameters import Parameter, parameter, parameter_row
from rulebook.models.versions import RuleVersion, rule_code

__all__ = [
    "CategoryField",
    "CategoryTerm",
    "Degree",
    "DegreeTerm",
    "LegalBasis",
    "ListCategory",
    "ListKind",
    "Measure",
    "Memorandum",
    "MemorandumMeasure",
    "Misconduct",
    "Parameter",
    "ResponsibleRole",
    "RuleVersion",
    "parameter",
    "parameter_row",
    "rule_code",
]
