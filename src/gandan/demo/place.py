"""The map of Mường Sương before and after July 2025: pure data, the same in every installation.

No official commune, district or province, past or present, bears one of these names, and no official
province has the code 99.
"""

from dataclasses import dataclass
from datetime import date

FIRST_DAY = date(2018, 1, 1)
"""The invented history begins."""
PROVINCE_CODE, PROVINCE_NAME = "99", "Mường Sương"

# District, its kind, and how many wards, towns and rural communes it held.
DISTRICTS = [
    ("991", "Thành phố", "Thung Sương", 5, 0, 2),
    ("992", "Huyện", "Chân Mây", 0, 1, 12),
    ("993", "Huyện", "Đầu Nguồn", 0, 1, 13),
    ("994", "Huyện", "Núi Chàm", 0, 1, 21),
    ("995", "Huyện", "Gió Bấc", 0, 1, 16),
    ("996", "Huyện", "Ruộng Vàng", 0, 1, 11),
    ("997", "Huyện", "Đồi Trà", 0, 1, 9),
    ("998", "Huyện", "Khe Lụa", 0, 1, 10),
]

# How many old communes each of the 38 new ones was formed from, in the order of the old codes: twice one,
# fifteen times two, twelve times three, seven times four, twice five. Six of them cross a district line.
PARTS = [
    5,
    3,
    2,
    3,
    2,
    4,
    3,
    2,
    1,
    2,
    4,
    3,
    2,
    3,
    2,
    5,
    4,
    2,
    3,
    2,
    3,
    2,
    4,
    2,
    3,
    4,
    2,
    3,
    2,
    4,
    3,
    2,
    3,
    2,
    4,
    3,
    2,
    1,
]

NAMES = [
    "Phìn Sao",
    "Thèn Khói",
    "Chiềng Chàm",
    "Ma Bông",
    "Chiềng Chiều",
    "Pa Chiều",
    "Thèn Lúa",
    "Mường Lúa",
    "Hồng Nắng",
    "Sín Khói",
    "Sín Vắng",
    "Thèn Mưa",
    "Pa Mật",
    "Dào Thóc",
    "Pú Chiều",
    "Noong Hạ",
    "Huổi Ngân",
    "Pa Sớm",
    "Tá Lúa",
    "Chiềng Gió",
    "Bản Sẳng",
    "Hua Chiều",
    "Suối Ngân",
    "Tả Nứa",
    "Mù Chàm",
    "Bum Ngọt",
    "Phìn Mưa",
    "Mù Mây",
    "Ka Khói",
    "Thèn Ngày",
    "Bản Rừng",
    "Nà Lúa",
    "Sín Gió",
    "Pa Vắng",
    "Phìn Sen",
    "Mù Hoa",
    "Pa Bông",
    "Pú Mưa",
    "Thu Hương",
    "Tả Rừng",
    "Tá Ngày",
    "Phìn Thơm",
    "Noong Sẳng",
    "Nà Sen",
    "Suối Sương",
    "Căn Nắng",
    "Ma Gió",
    "Thèn Gió",
    "Thèn Vắng",
    "Sín Lụa",
    "Tả Sương",
    "Pú Thơm",
    "Dào Lụa",
    "Pú Nứa",
    "Pắc Mơ",
    "Mù Nắng",
    "Nậm Sao",
    "Sín Chiều",
    "Hồng Thơm",
    "Pú Ngân",
    "Tá Ngọt",
    "Mường Ngân",
    "Căn Mưa",
    "Chiềng Trúc",
    "Hồng Bông",
    "Dào Sao",
    "Nà Ngày",
    "Căn Hạ",
    "Nà Sao",
    "Sín Trúc",
    "Mường Sao",
    "Hua Mơ",
    "Khun Mật",
    "Pú Biếc",
    "Bum Hạ",
    "Chiềng Ngày",
    "Tủa Nắng",
    "Hua Ngân",
    "Tả Sớm",
    "Thu Ngày",
    "Nậm Sen",
    "Dào Sen",
    "Nậm Khói",
    "Huổi Thơm",
    "Dào Chàm",
    "Lùng Lúa",
    "Ka Sớm",
    "Dào Nắng",
    "Phìn Ngọt",
    "Ka Sương",
    "Mù Thơm",
    "Tà Chàm",
    "Khun Lụa",
    "Noong Thóc",
    "Noong Lá",
    "Phúc Vắng",
    "Lùng Sớm",
    "Phúc Xanh",
    "Hua Trăng",
    "Thu Gió",
    "Lùng Nứa",
    "Phìn Hoa",
    "Lùng Sen",
    "Thu Ngọt",
    "Tà Khói",
    "Hua Lụa",
]


@dataclass(frozen=True, slots=True)
class OldCommune:
    code: str
    name: str
    type: str
    district: str
    remote: bool


@dataclass(frozen=True, slots=True)
class NewCommune:
    code: str
    name: str
    type: str
    parts: tuple[str, ...]
    """Codes of the old communes, all of them whole."""


def old_communes() -> list[OldCommune]:
    """Return the 106 communes until 30 June 2025: 5 phường, 7 thị trấn, 94 xã."""
    communes: list[OldCommune] = []
    names = iter(NAMES)
    for district, _kind, _name, wards, towns, rural in DISTRICTS:
        for kind in ["Phường"] * wards + ["Thị trấn"] * towns + ["Xã"] * rural:
            number = len(communes) + 1
            # Towns and wards are near; of the rural communes, two in three are remote.
            communes.append(OldCommune(f"99{number:03}", next(names), kind, district, kind == "Xã" and number % 3 != 0))
    return communes


def new_communes() -> list[NewCommune]:
    """Return the 38 communes from 1 July 2025: 2 phường and 36 xã.

    As in life, a new commune takes the code of its first part and often the name of another one, so that
    most codes now mean another place than before.
    """
    communes: list[NewCommune] = []
    old, at = old_communes(), 0
    for number, size in enumerate(PARTS):
        parts = old[at : at + size]
        at += size
        name = parts[number % len(parts)].name
        communes.append(
            NewCommune(parts[0].code, name, "Phường" if number < 2 else "Xã", tuple(part.code for part in parts))
        )
    return communes
