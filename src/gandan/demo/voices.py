"""Invented words of invented people: what they bring, and what they are answered."""

SURNAMES = [
    "Lò",
    "Vàng",
    "Giàng",
    "Sùng",
    "Tẩn",
    "Lý",
    "Nguyễn",
    "Trần",
    "Phàn",
    "Hoàng",
    "Lù",
    "Mùa",
    "Thào",
    "Chẻo",
    "Đèo",
    "Vũ",
]
MIDDLES = {"m": ["Văn", "A", "Minh", "Quang", "Đức"], "f": ["Thị", "Thu", "Ngọc", "Thanh"]}
GIVEN = {
    "m": [
        "Pao",
        "Sử",
        "Quyết",
        "Dũng",
        "Chứ",
        "Páo",
        "Sơn",
        "Tuấn",
        "Hùng",
        "Nam",
        "Khánh",
        "Vương",
        "Lử",
        "Sình",
        "Toàn",
    ],
    "f": [
        "Lan",
        "Xuân",
        "Hoa",
        "Dở",
        "Mai",
        "Hương",
        "Mỷ",
        "Sáo",
        "Thảo",
        "Ngân",
        "Yến",
        "Chi",
        "Dung",
        "Phương",
        "Liên",
    ],
}
RANKS = ["Đại úy", "Thượng úy", "Trung úy", "Thiếu tá", "Thiếu úy"]
HAMLETS = [
    "bản Nà Then",
    "bản Phiêng Lúa",
    "bản Pu Gió",
    "bản Suối Lạnh",
    "bản Đồi Chè",
    "bản Ngã Ba",
    "bản Hạ",
    "bản Thượng",
]

# Title, what was said, what was answered.
FEEDBACK = [
    (
        "Đường vào bản không có đèn",
        "Đường từ ngã ba vào bản tối om, thanh niên tụ tập phóng xe sau 21 giờ. Đề nghị có đèn và tuần tra.",
        "Tổ an ninh cơ sở tuần tra tối thứ Sáu đến Chủ nhật; xã đã lắp thêm sáu đèn ở đoạn ngã ba.",
    ),
    (
        "Làm căn cước phải đi lại nhiều lần",
        "Tôi ra xã ba lần vì mạng chậm. Có cách nào hẹn trước không?",
        "Từ tháng này có thể hẹn giờ qua số trực ban. Nếu mạng lỗi, chúng tôi gọi bạn đến khi chạy lại.",
    ),
    (
        "Mong cán bộ giải thích bằng tiếng Mông",
        "Khi ký biên bản tôi không hiểu hết. Mong có người nói tiếng Mông.",
        "Mỗi ca trực nay có một cán bộ nói được tiếng Mông; biên bản được đọc và ghi âm trước khi ký.",
    ),
    (
        "Chó thả rông cắn trẻ em",
        "Ở đầu bản có đàn chó thả rông, cháu tôi bị cắn.",
        "Đã làm việc với ba hộ, các hộ ký cam kết xích chó; trạm y tế đã tiêm cho cháu bé.",
    ),
    (
        "Loa hát to sau 22 giờ",
        "Quán đầu chợ mở loa đến nửa đêm, trẻ con không ngủ được.",
        "Đã nhắc chủ quán, lập biên bản cam kết tắt loa từ 22 giờ; tổ tự quản theo dõi.",
    ),
    (
        "Xe tải chạy nhanh qua trường học",
        "Xe chở đá chạy rất nhanh lúc tan trường.",
        "Đã đặt biển báo, bố trí người trực giờ tan trường và làm việc với hai chủ xe.",
    ),
    (
        "Hụi họ có dấu hiệu lừa",
        "Có người đi từng nhà mời góp hụi lãi cao, tôi nghi là lừa.",
        "Đã phát cảnh báo trên loa các bản và hướng dẫn bà con không góp tiền; ai đã góp xin báo ngay.",
    ),
    (
        "Rác đổ trộm ở suối",
        "Đêm có xe đổ rác xuống suối đầu nguồn.",
        "Đã cùng xã lắp camera ở cầu và xử phạt một trường hợp; rác đã được dọn.",
    ),
    (
        "Mất điện nhà văn hóa, thanh niên tụ tập",
        "Nhà văn hóa tối nên hay có đám tụ tập uống rượu.",
        "Đã đề nghị điện lực sửa đường dây; tổ an ninh đi qua lúc 21 giờ hằng tối.",
    ),
    (
        "Xin hướng dẫn đăng ký xe cũ",
        "Tôi mua xe cũ không có giấy bán, làm thế nào?",
        "Bạn mang xe và căn cước đến xã; chúng tôi niêm yết 30 ngày rồi làm thủ tục sang tên.",
    ),
    (
        "Đề nghị dạy trẻ em bơi an toàn",
        "Suối mùa mưa nguy hiểm, đề nghị phối hợp với trường dạy bơi.",
        "Đã cùng đoàn thanh niên mở hai lớp cho 46 em trong dịp hè.",
    ),
    (
        "Biển chỉ đường bị đổ",
        "Biển ở dốc đầu đèo đổ từ tháng trước, khách hay đi lạc.",
        "Biển đã được dựng lại và gia cố.",
    ),
]
CRIME = [
    ("Mất xe máy trong đêm", "Sáng dậy không thấy xe máy để dưới nhà sàn."),
    ("Bị lừa chuyển tiền qua điện thoại", "Có người tự xưng là cán bộ gọi và bảo chuyển tiền để xác minh."),
    ("Đánh nhau ở quán nước", "Tối qua có hai nhóm đánh nhau, một người chảy máu đầu."),
    ("Mất trâu thả trên nương", "Con trâu đực thả ở nương mất hai hôm nay, thấy vết chân dẫn ra đường."),
    ("Mất trộm máy bơm nước", "Máy bơm ở trạm nước của bản bị tháo mất."),
    ("Có người rủ đi làm xa, nghi lừa bán", "Có người lạ rủ em gái tôi đi làm ở nơi xa, hứa lương rất cao."),
]
RESIDENCE = {
    "RE-01": ("Đăng ký thường trú cho con mới sinh", "Đã đăng ký; mời đến nhận thông báo kết quả."),
    "RE-02": ("Đăng ký tạm trú cho người làm thuê", "Đã đăng ký tạm trú; kết quả gửi kèm."),
    "RE-05": ("Sửa ngày sinh ghi sai", "Đã điều chỉnh theo giấy khai sinh."),
    "RE-09": ("Xác nhận thông tin cư trú để vay vốn", "Đã xác nhận; mời đến nhận giấy."),
    "VR-01": ("Đăng ký xe máy mới mua", "Đã cấp giấy đăng ký và biển số."),
}
MISSING = [
    ["Giấy tờ chứng minh chỗ ở hợp pháp"],
    ["Giấy khai sinh", "Tờ khai có chữ ký của chủ hộ"],
    ["Chứng từ lệ phí trước bạ"],
]
COMPLAINTS = [
    ("Khiếu nại mức phạt", "Tôi cho rằng mức phạt trong biên bản không đúng."),
    ("Khiếu nại việc giữ xe", "Xe bị giữ quá lâu mà không có quyết định."),
]
DENUNCIATIONS = [
    ("Tố cáo việc đòi tiền khi làm giấy tờ", "Cán bộ đòi thêm tiền ngoài lệ phí khi tôi làm giấy tờ."),
    ("Tố cáo thái độ với người dân", "Cán bộ quát mắng và đuổi mẹ tôi về."),
]
DECISIONS = [
    "Đã xác minh, yêu cầu của bạn có căn cứ một phần; nội dung quyết định gửi kèm.",
    "Đã xác minh; chưa có căn cứ xác định như nội dung bạn nêu. Lý do ghi trong kết luận.",
]
NOT_OURS = (
    "Đề nghị cấp sổ đỏ",
    "Nhà tôi chờ sổ đỏ đã hai năm.",
    "Trung tâm Phục vụ hành chính công xã",
    "Việc đất đai thuộc Ủy ban nhân dân xã; chúng tôi chuyển nguyên văn và báo bạn.",
)
