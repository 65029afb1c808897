"""Sample words and figures for the gallery. All invented, except the clocks: those are computed by `law`."""

from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import get_language

from gandan import law
from gandan.law.calendar import calendar_of
from gandan.law.deadlines import VIETNAM
from gandan.law.seed import seed_year
from gandan.ui.forms import DayField, Hinted

AT = datetime(2026, 11, 23, 9, 0, tzinfo=VIETNAM)
"""The instant at which every clock of the gallery is read."""


def t(vi: str, en: str) -> str:
    """Return the sample in the language of the page."""
    return en if get_language() == "en" else vi


def clocks() -> list[dict[str, Any]]:
    """Return one clock in each of its states, with words on what it is."""
    calendar = calendar_of([seed_year(year) for year in (2026, 2027)])

    def clock(label: str, amount: int, unit: Any, started: datetime, **state: Any) -> dict[str, Any]:
        due_at = law.deadline(amount, unit, started, calendar).due_at
        return {"label": label, "state": law.clock_state(started, due_at, AT, **state), "due_at": due_at}

    def ago(days: int, hours: int = 0) -> datetime:
        return AT - timedelta(days=days, hours=hours)

    return [
        clock(t("Phản ánh, 10 ngày", "Report, 10 days"), 10, "day", ago(1)),
        clock(t("Đơn, 5 ngày làm việc", "Petition, 5 working days"), 5, "working_day", ago(5)),
        clock(t("Thủ tục, 1 ngày làm việc", "Procedure, 1 working day"), 1, "working_day", ago(3)),
        clock(t("Tố giác, 24 giờ", "Crime report, 24 hours"), 24, "hour", ago(0, 10)),
        clock(t("Tố giác, 24 giờ", "Crime report, 24 hours"), 24, "hour", ago(0, 23)),
        clock(t("Tố giác, 24 giờ", "Crime report, 24 hours"), 24, "hour", ago(1, 6)),
        clock(t("Đơn, 5 ngày làm việc", "Petition, 5 working days"), 5, "working_day", ago(10)),
        clock(t("Chờ bổ sung giấy tờ", "Waiting for papers"), 7, "working_day", ago(6), suspended=True),
        clock(t("Đã trả lời", "Answered"), 10, "day", ago(12), discharged_at=ago(6)),
        clock(t("Đã trả lời", "Answered"), 5, "working_day", ago(20), discharged_at=ago(9)),
    ]


class SampleForm(forms.Form):
    """A page of a report with every kind of field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["story"] = forms.CharField(
            label=t("Kể lại bằng lời của bạn", "Tell it in your own words"),
            help_text=t(
                "Ai làm gì, ở đâu, bao nhiêu lần. Viết không dấu cũng được.",
                "Who did what, where, how often. No diacritics needed.",
            ),
            max_length=3000,
            widget=forms.Textarea({"rows": 5}),
        )
        self.fields["day"] = DayField(
            label=t("Xảy ra ngày nào?", "On which day was it?"),
            help_text=t("Nếu không nhớ chính xác, ghi ngày gần đúng.", "If you are not sure, give the nearest day."),
        )
        self.fields["place"] = forms.CharField(
            label=t("Ở bản nào, chỗ nào?", "In which hamlet, at which spot?"),
            error_messages={"required": t("Cho biết bản hoặc nơi xảy ra", "Say in which hamlet or where it happened")},
            max_length=120,
        )
        self.fields["danger"] = forms.ChoiceField(
            label=t("Có ai đang gặp nguy hiểm không?", "Is anybody in danger now?"),
            choices=[("no", t("Không", "No")), ("yes", t("Có – gọi 113 ngay", "Yes: call 113 now"))],
            widget=forms.RadioSelect({"class": "govuk-radios--inline"}),
        )
        self.fields["topic"] = forms.ChoiceField(
            label=t("Việc này là gì?", "What is it about?"),
            choices=[
                (
                    "report",
                    Hinted(
                        t("Phản ánh, kiến nghị", "A report or a proposal"),
                        t("Điều chưa tốt trong cuộc sống hằng ngày.", "Something wrong in daily life."),
                    ),
                ),
                (
                    "crime",
                    Hinted(
                        t("Tố giác tội phạm", "A crime"),
                        t("Có người bị hại, mất tài sản, bị đe dọa.", "Somebody was hurt, robbed or threatened."),
                    ),
                ),
            ],
            widget=forms.RadioSelect,
        )
        self.fields["languages"] = forms.MultipleChoiceField(
            label=t("Bạn muốn nghe trả lời bằng tiếng nào?", "In which language shall we answer?"),
            choices=[("vi", "Tiếng Việt"), ("hmn", "Hmoob"), ("th", "Thái")],
            widget=forms.CheckboxSelectMultiple,
            required=False,
        )
        self.fields["hamlet"] = forms.ChoiceField(
            label=t("Bạn ở bản nào?", "Which hamlet do you live in?"),
            choices=[("", t("Chọn bản", "Choose a hamlet")), ("1", "Nà Then"), ("2", "Phiêng Lúa")],
            required=False,
        )
        self.fields["phone"] = forms.CharField(
            label=t("Số điện thoại", "Telephone"),
            required=False,
            widget=forms.TextInput({"class": "govuk-input--width-10", "inputmode": "tel", "autocomplete": "tel"}),
        )
        self.fields["photo"] = forms.FileField(
            label=t("Ảnh hoặc ghi âm", "Photo or recording"),
            help_text=t("Tối đa 3 tệp, mỗi tệp 10 MB.", "Up to 3 files of 10 MB each."),
            required=False,
        )
        self.fields["agree"] = forms.BooleanField(
            label=t("Tôi đã đọc cách dữ liệu của tôi được dùng", "I have read how my data are used"),
            error_messages={"required": t("Đánh dấu vào ô nếu bạn đã đọc", "Tick the box when you have read it")},
        )


class SampleFilter(forms.Form):
    """A filter above a list."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["q"] = forms.CharField(label=t("Mã hoặc từ khóa", "Reference or words"), required=False)
        self.fields["kind"] = forms.ChoiceField(
            label=t("Loại việc", "Kind"),
            choices=[("", t("Tất cả", "All")), ("r", t("Phản ánh", "Report"))],
            required=False,
        )
        self.fields["who"] = forms.ChoiceField(
            label=t("Người nhận", "Owner"),
            choices=[("", t("Tất cả", "All")), ("-", t("Chưa có người nhận", "Nobody yet"))],
            required=False,
        )


def faulty_form() -> SampleForm:
    """Return the form as it comes back with some fields missing."""
    story = t(
        "Tối thứ Bảy có nhóm thanh niên đi xe máy nẹt pô, phóng nhanh qua trường học trong bản.",
        "On Saturday night young men raced their motorcycles past the school of the hamlet.",
    )
    typed = {"story": story, "day_month": "11", "day_year": "2026", "danger": "no", "topic": "report"}
    return SampleForm(typed, {})


def office() -> dict[str, str]:
    return {
        "name": t("Công an xã Bản Mây", "Bản Mây commune police"),
        "parent": t("Tỉnh Mường Sương · Gần dân, có hẹn, có trả lời", "Mường Sương province · close to the people"),
        "url": "/",
        "duty_phone": "02130000113",
        "address": t("Bản Trung Tâm, xã Bản Mây, tỉnh Mường Sương", "Trung Tâm hamlet, Bản Mây commune, Mường Sương"),
        "hours": t(
            "thứ Hai đến thứ Sáu 7:30–11:30 và 13:30–17:00; sáng thứ Bảy 7:30–11:30",
            "Monday to Friday 7:30–11:30 and 13:30–17:00; Saturday 7:30–11:30",
        ),
    }


def services() -> list[dict[str, str]]:
    rows = [
        (
            "say",
            "clay",
            "Gửi phản ánh, tố giác",
            "Có thể không nêu tên. Nhận mã để theo dõi ngay.",
            "Report something",
            "You need not give your name. You get a code at once.",
        ),
        (
            "search",
            "",
            "Việc của tôi đến đâu rồi?",
            "Nhập mã 16 số trên phiếu, không cần tài khoản.",
            "Where is my matter?",
            "Type the 16 digits of your receipt; no account needed.",
        ),
        (
            "home",
            "",
            "Đăng ký cư trú, lưu trú",
            "Thường trú, tạm trú, thông báo lưu trú cho khách.",
            "Residence",
            "Permanent, temporary, and guests who stay overnight.",
        ),
        (
            "card",
            "",
            "Căn cước, định danh",
            "Làm mới, đổi, kích hoạt định danh điện tử mức 2.",
            "Identity card",
            "New, renewed, and electronic identity.",
        ),
        (
            "cal",
            "info",
            "Hẹn giờ làm việc",
            "Chọn giờ trống; bà con ở xa được ưu tiên buổi sáng.",
            "Make an appointment",
            "Choose a free hour; those from afar come first in the morning.",
        ),
        (
            "rate",
            "rice",
            "Chấm điểm phục vụ",
            "8 câu hỏi, 3 phút, không lưu họ tên người trả lời.",
            "Rate our service",
            "8 questions, 3 minutes, no names kept.",
        ),
    ]
    return [
        {"icon": icon, "tone": tone, "title": t(title, title_en), "text": t(text, text_en), "url": "#main"}
        for icon, tone, title, text, title_en, text_en in rows
    ]


def tiles() -> list[dict[str, Any]]:
    day = date(2026, 11, 20)
    return [
        {
            "label": t("Việc giải quyết đúng hạn", "Settled in time"),
            "figure": t("94,0%", "94.0%"),
            "base": t("1.204 trên 1.281 việc", "1,204 of 1,281 matters"),
            "change": t("tăng 2,1 điểm so với quý II", "up 2.1 points on quarter II"),
            "change_tone": "good",
            "on": day,
        },
        {
            "label": t("Thời gian chờ trả lời đầu tiên", "Wait for the first answer"),
            "figure": t("1,6", "1.6"),
            "unit": t("ngày", "days"),
            "base": t("trung vị của 1.281 việc", "median of 1,281 matters"),
            "target": t("không quá 2 ngày", "at most 2 days"),
            "change": t("không đổi so với quý II", "unchanged on quarter II"),
            "tone": "ok",
        },
        {
            "label": t("Mức độ hài lòng sau khi được phục vụ", "Satisfaction after service"),
            "figure": t("4,3", "4.3"),
            "unit": t("trên 5", "of 5"),
            "interval": "4,1–4,5" if get_language() != "en" else "4.1–4.5",
            "base": t("612 phiếu", "612 answers"),
            "tone": "soon",
        },
        {
            "label": t("Việc đang quá hạn", "Overdue"),
            "figure": "18",
            "unit": t("việc", "matters"),
            "change": t("tăng 5 việc so với tháng 10", "5 more than in October"),
            "change_tone": "bad",
            "url": "#main",
            "url_text": t("Xem từng việc và lý do", "See each and the reason"),
            "tone": "late",
        },
        {
            "label": t("Chấm điểm của người dân", "Ratings by citizens"),
            "missing": t("Chưa có lượt chấm", "No ratings yet"),
            "tone": "idle",
        },
    ]


def voices() -> list[dict[str, Any]]:
    soon = clocks()[1]
    return [
        {
            "tag": t("Đã xong", "Done"),
            "tone": "ok",
            "place": "Bản Nà Then",
            "on": date(2026, 11, 2),
            "quote": t(
                "Đường vào bản tối, thanh niên hay tụ tập phóng xe sau 21 giờ.",
                "The road is dark and young men race there after nine at night.",
            ),
            "answer": t(
                "tổ an ninh cơ sở tuần tra tối thứ Sáu đến Chủ nhật; xã lắp thêm 6 đèn.",
                "patrols on Friday to Sunday nights; the commune put up six more lamps.",
            ),
            "answer_days": 4,
        },
        {
            "tag": t("Đang làm", "In hand"),
            "tone": "info",
            "place": "Bản Phiêng Lúa",
            "on": date(2026, 11, 18),
            "quote": t(
                "Làm lại căn cước phải ra xã ba lần vì mạng chậm, có cách nào không?",
                "I had to come three times because the line was slow. Is there another way?",
            ),
            "clock": soon["state"],
            "due_at": soon["due_at"],
        },
        {
            "tag": t("Đã xong", "Done"),
            "tone": "ok",
            "place": "Bản Pu Gió",
            "on": date(2026, 10, 28),
            "quote": t(
                "Mong cán bộ giải thích bằng tiếng Mông khi ký biên bản.", "Please explain in Hmong before we sign."
            ),
            "answer": t(
                "mỗi ca trực có một cán bộ nói được tiếng Mông.", "each shift has an officer who speaks Hmong."
            ),
            "answer_days": 0,
        },
    ]


def documents() -> list[dict[str, Any]]:
    rows = [
        (
            "214/QĐ-CAT",
            date(2026, 11, 18),
            "Quyết định ban hành Quy trình tiếp nhận, giải quyết phản ánh của công dân",
            "Decision on how reports of citizens are received and settled",
            1204,
            318,
            412_000,
        ),
        (
            "118/CĐ-CAT",
            date(2026, 11, 14),
            "Công điện về bảo đảm an toàn giao thông dịp thu hoạch vụ mùa",
            "Telegram on road safety during the harvest",
            873,
            96,
            180_000,
        ),
        (
            "09/TB-CAX",
            date(2026, 11, 3),
            "Thông báo lịch cấp căn cước lưu động tại các bản Nà Then, Phiêng Lúa, Pu Gió",
            "Days on which identity cards are issued in Nà Then, Phiêng Lúa and Pu Gió",
            2915,
            407,
            1_240_000,
        ),
    ]
    return [
        {
            "number": number,
            "on": on,
            "title": t(title, title_en),
            "url": "#main",
            "views": views,
            "downloads": downloads,
            "file_url": "#main",
            "file_type": "PDF",
            "file_size": size,
        }
        for number, on, title, title_en, views, downloads, size in rows
    ]


def matters() -> list[dict[str, Any]]:
    shown = clocks()
    rows = [
        (
            6,
            "7K2M-04",
            "Tranh chấp lối đi chung giữa hai hộ",
            "Two households dispute a shared path",
            "Phản ánh · bản Nà Then",
            "Report · Nà Then",
            "Lò Thị Xuân",
            ("Đang xác minh", "Being verified", "info"),
        ),
        (
            5,
            "9QW3-11",
            "Mất trộm hai xe máy trong đêm",
            "Two motorcycles stolen at night",
            "Tố giác · bản Phiêng Lúa",
            "Crime report · Phiêng Lúa",
            "",
            ("Chờ người nhận", "Waiting for an owner", "late"),
        ),
        (
            3,
            "4TRB-27",
            "Mất trâu thả ngoài bãi",
            "A buffalo gone from the pasture",
            "Tố giác · bản Pu Gió · không nêu tên",
            "Crime report · Pu Gió · unnamed",
            "",
            ("Mới", "New", ""),
        ),
        (
            2,
            "2HHC-90",
            "Đăng ký tạm trú cho 12 công nhân thủy điện",
            "Temporary residence for 12 workers",
            "Thủ tục · Dịch vụ công",
            "Procedure · public services",
            "Vàng Thị Dở",
            ("Đang làm", "In hand", "info"),
        ),
        (
            7,
            "8XNN-35",
            "Cấp đổi căn cước, thiếu ảnh chụp lại",
            "Identity card, photo missing",
            "Thủ tục · chờ công dân bổ sung",
            "Procedure · waiting for papers",
            "Lò Thị Xuân",
            ("Chờ bổ sung", "Waiting", "soon"),
        ),
        (
            0,
            "5LPD-62",
            "Đề nghị lắp đèn đoạn đường vào bản",
            "Please light the road into the hamlet",
            "Phản ánh · diễn đàn",
            "Report · forum",
            "Giàng A Sử",
            ("Đang làm", "In hand", "info"),
        ),
        (
            8,
            "3CVB-18",
            "Xe tải chạy qua trường giờ tan học",
            "Lorries pass the school at closing time",
            "Phản ánh · cổng xã",
            "Report · commune site",
            "Vàng Thị Dở",
            ("Đã trả lời", "Answered", "ok"),
        ),
    ]
    return [
        {
            "clock": shown[which]["state"],
            "due_at": shown[which]["due_at"],
            "reference": reference,
            "title": t(title, title_en),
            "sub": t(sub, sub_en),
            "owner": owner,
            "received": AT - timedelta(days=index * 2, hours=index),
            "step": t(step[0], step[1]),
            "tone": step[2],
        }
        for index, (which, reference, title, title_en, sub, sub_en, owner, step) in enumerate(rows)
    ]


def events() -> list[dict[str, Any]]:
    return [
        {
            "at": AT - timedelta(days=5),
            "title": t("Tiếp nhận", "Received"),
            "by": "Giàng A Sử",
            "text": t(
                "Bà Hoa đến trực ban, kể lại sự việc.\nĐã đưa phiếu nhận.",
                "Mrs Hoa came to the duty desk and told it.\nShe was given a receipt.",
            ),
            "told": t("bà Hoa, bằng phiếu", "Mrs Hoa, by receipt"),
            "tone": "idle",
        },
        {"at": AT - timedelta(days=4), "title": t("Có người nhận", "Taken"), "by": "Lò Thị Xuân"},
        {
            "at": AT - timedelta(days=2),
            "title": t("Tạm dừng tính hạn: chờ giấy tờ", "Clock paused: papers missing"),
            "tone": "soon",
            "url": "#main",
            "url_text": t("Xem danh mục đã yêu cầu", "See what was asked for"),
        },
        {
            "at": AT - timedelta(hours=1),
            "title": t("Đã bổ sung, tính hạn tiếp", "Papers came, clock resumed"),
            "tone": "ok",
            "now": True,
        },
    ]


def due_sum() -> dict[str, Any]:
    calendar = calendar_of([seed_year(2026)])
    found = law.deadline(5, "working_day", AT - timedelta(days=5), calendar)
    language = "en" if get_language() == "en" else "vi"
    return {"lines": law.render(found, language), "due_at": found.due_at}


def facts() -> list[dict[str, Any]]:
    change = t("Sửa", "Change")
    return [
        {
            "key": t("Loại việc", "Kind"),
            "value": t("Phản ánh", "Report"),
            "url": "#main",
            "url_text": change,
            "hidden": t("loại việc", "the kind"),
        },
        {
            "key": t("Nơi xảy ra", "Place"),
            "value": t("Bản Nà Then, gần trường học", "Nà Then, near the school"),
            "note": t("cách trụ sở 6 km", "6 km from the office"),
            "url": "#main",
            "url_text": change,
            "hidden": t("nơi xảy ra", "the place"),
        },
        {"key": t("Tên của bạn", "Your name"), "value": t("không nêu tên", "not given")},
    ]


def steps() -> list[dict[str, str]]:
    return [
        {"title": t("Loại việc", "Kind"), "state": "done", "url": "#main"},
        {"title": t("Nội dung", "What happened"), "state": "current"},
        {"title": t("Liên lạc", "Contact"), "state": ""},
        {"title": t("Kiểm tra và gửi", "Check and send"), "state": ""},
    ]


def visits() -> dict[str, Any]:
    return {
        "now": 12,
        "today": 348,
        "month": 9214,
        "month_on": date(2026, 11, 1),
        "total": 182_407,
        "since": date(2025, 7, 1),
    }


def side_navigation() -> list[dict[str, Any]]:
    return [
        {
            "title": t("Việc", "Work"),
            "links": [
                {"title": t("Việc đến", "Worklist"), "url": "#main", "icon": "in", "late": 2, "current": "page"},
                {"title": t("Chỉ đạo", "Directives"), "url": "#main", "icon": "task", "count": 2},
                {"title": t("Lắng nghe", "Forum"), "url": "#main", "icon": "say", "count": 6},
                {"title": t("Lịch hẹn", "Appointments"), "url": "#main", "icon": "cal"},
            ],
        },
        {
            "title": t("Đơn vị", "Unit"),
            "links": [
                {"title": t("Quân số", "Staff"), "url": "#main", "icon": "people"},
                {"title": t("Văn bản", "Documents"), "url": "#main", "icon": "file"},
                {"title": t("Toàn tỉnh", "Province"), "url": "#main", "icon": "chart"},
            ],
        },
    ]


def words() -> dict[str, str]:
    return {
        "gallery": t("Bộ thành phần giao diện", "Gallery of components"),
        "sample": t("Mẫu", "Sample"),
        "save": t("Lưu", "Save"),
        "cancel": t("Thôi", "Cancel"),
        "out": t("Đăng xuất", "Sign out"),
        "law": t("Căn cứ pháp lý", "Legal basis"),
        "services": t("Dịch vụ", "Services"),
        "results": t("Chúng tôi đã làm được đến đâu", "What we have achieved"),
        "method": t("Cách tính và số liệu mở", "Method and open data"),
        "listen": t("Công an lắng nghe ý kiến Nhân dân", "We listen"),
        "documents": t("Văn bản", "Documents"),
        "next": t("Tiếp tục", "Continue"),
        "lede": t("37 việc mở · 4 quá hạn · 6 đến hạn trong 3 ngày", "37 open · 4 overdue · 6 due within 3 days"),
        "record": t("Ghi việc mới", "Record a matter"),
        "active": t("đang lọc theo: hạn gần nhất trước", "nearest deadline first"),
        "caption": t("Việc đang mở, xếp theo hạn gần nhất", "Open matters, nearest deadline first"),
        "found": t("Số việc:", "Matters:"),
        "take": t("Nhận việc", "Take it"),
        "matter": t("Việc", "Matter"),
        "due": t("Hạn", "Due"),
        "owner": t("Người nhận", "Owner"),
        "received": t("Nhận lúc", "Received"),
        "step": t("Bước", "Step"),
    }


def context() -> dict[str, Any]:
    """Return everything that the gallery's pages print."""
    return {
        "t_title": t("Bạn cần gì hôm nay?", "What do you need today?"),
        "t_lede": t(
            "Gửi việc, xem việc đang ở đâu, và đọc câu trả lời. Việc nào cũng có người nhận và có hạn.",
            "Bring something, see where it stands, read the answer. Every matter has an owner and a day.",
        ),
        "office": office(),
        "services": services(),
        "tiles": tiles(),
        "voices": voices(),
        "documents": documents(),
        "clocks": clocks(),
        "matters": matters(),
        "events": events(),
        "due_sum": due_sum(),
        "facts": facts(),
        "steps": steps(),
        "visits": visits(),
        "filter": SampleFilter(),
        "pills": [
            {"title": t("Tất cả", "All"), "count": 37, "url": "#main", "current": True},
            {"title": t("Của tôi", "Mine"), "count": 9, "url": "#main"},
            {"title": t("Chờ người nhận", "Nobody's yet"), "count": 5, "url": "#main"},
            {"title": t("Quá hạn", "Overdue"), "count": 4, "url": "#main", "late": True},
            {"title": t("Chờ bổ sung", "Waiting"), "count": 0, "url": "#main"},
        ],
        "crumbs": [
            {"title": t("Trang chủ", "Home"), "url": "/"},
            {"title": t("Thủ tục", "Procedures"), "url": "#main"},
        ],
        "tags": [
            ("", t("Mới", "New")),
            ("info", t("Đang làm", "In hand")),
            ("ok", t("Đã xong", "Done")),
            ("soon", t("Chờ bổ sung", "Waiting")),
            ("late", t("Chờ người nhận", "Nobody's yet")),
        ],
        "flashes": [
            ("success", t("Đã lưu.", "Saved.")),
            ("info", t("Dữ liệu chốt ngày 05/10/2026.", "Figures as of 5 October 2026.")),
            ("warning", t("Lịch năm 2027 là tạm tính.", "The calendar of 2027 is provisional.")),
            ("error", t("Không gửi được: mất kết nối.", "Not sent: the connection was lost.")),
        ],
        "words": words(),
        "exit_url": t("/conversions/", "/en/conversions/"),
        "refused": t("Việc này đã đóng ngày 20/11/2026.", "This matter was closed on 20 November 2026."),
        "long_text": t(
            "Bộ luật Dân sự tính thời hạn bằng ngày làm việc từ ngày kế tiếp; ngày nghỉ, ngày lễ không tính.",
            "The Civil Code counts working days from the next day on; holidays are not counted.",
        ),
    }
