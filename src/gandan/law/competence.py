"""Who settles a matter first, and who settles it after that.

Only what has been read or remembered, each with its mark: where nothing is stated, nothing is guessed. That a
person or unit named in a matter never sees it is a rule of access, not of competence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gandan.law.terms import Evidence

Matter = Literal["denunciation", "complaint", "crime_report"]
About = Literal["officer", "deputy_chief", "chief", "unit", "offence"]
Settler = Literal["commune_chief", "province_director", "investigating_agency"]
Instance = Literal["first", "second"]


class NotStated(LookupError):
    """Nothing that we know says who settles such a matter: a person who knows the law decides."""


@dataclass(frozen=True, slots=True)
class Competence:
    """Who settles a matter, by which law, and how well that is known."""

    settler: Settler
    evidence: Evidence
    basis_vi: str
    basis_en: str


_DENUNCIATION_VI = "Nghị định 22/2019/NĐ-CP, Điều 5, sửa đổi bởi Nghị định 224/2025/NĐ-CP"
_DENUNCIATION_EN = "Decree 22/2019/NĐ-CP, article 5, as amended by Decree 224/2025/NĐ-CP"
_COMPLAINT_VI = "Luật Khiếu nại 02/2011/QH13; Thông tư 23/2022/TT-BCA"
_COMPLAINT_EN = "Law on Complaints 02/2011/QH13; Circular 23/2022/TT-BCA"


def _denounced(settler: Settler) -> Competence:
    return Competence(settler, "sourced", _DENUNCIATION_VI, _DENUNCIATION_EN)


def _complained(settler: Settler, evidence: Evidence) -> Competence:
    return Competence(settler, evidence, _COMPLAINT_VI, _COMPLAINT_EN)


_KNOWN: Mapping[tuple[Matter, About, Instance], Competence] = {
    ("denunciation", "officer", "first"): _denounced("commune_chief"),
    ("denunciation", "deputy_chief", "first"): _denounced("province_director"),
    ("denunciation", "chief", "first"): _denounced("province_director"),
    ("denunciation", "unit", "first"): _denounced("province_director"),
    ("complaint", "officer", "first"): _complained("commune_chief", "sourced"),
    ("complaint", "chief", "first"): _complained("commune_chief", "sourced"),
    ("complaint", "officer", "second"): _complained("province_director", "memory"),
    ("complaint", "chief", "second"): _complained("province_director", "memory"),
    ("crime_report", "offence", "first"): Competence(
        "investigating_agency",
        "sourced",
        "Thông tư liên tịch 01/2017/TTLT-BCA-BQP-BTC-BNN&PTNT-VKSNDTC",
        "Joint Circular 01/2017/TTLT-BCA-BQP-BTC-BNN&PTNT-VKSNDTC",
    ),
}


def who_settles(matter: Matter, about: About, instance: Instance = "first") -> Competence:
    """Return who settles a matter about an officer of a commune's police, its chief, the unit, or an offence.

    A complaint against the chief's own decision goes back to the chief first: the law says so for complaints,
    and not for denunciations. Raises NotStated where no source is known.
    """
    try:
        return _KNOWN[matter, about, instance]
    except KeyError:
        raise NotStated(f"nothing states who settles a {matter} about a {about}, {instance} instance") from None
