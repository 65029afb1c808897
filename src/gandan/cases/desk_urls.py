from django.urls import path

from gandan.cases import desk_views as views
from gandan.cases import hold_views, revealing

urlpatterns = [
    path("desk/cases/", views.case_list, name="case_list"),
    path("desk/cases/new/", views.case_intake, name="case_intake"),
    path("desk/cases/<uuid:case>/", views.case, name="case"),
    path("desk/cases/<uuid:case>/receipt/", views.case_receipt, name="case_receipt"),
    path("desk/holds/", hold_views.hold_list, name="hold_list"),
    path("desk/holds/place/", hold_views.hold_place, name="hold_place"),
    path("desk/holds/<uuid:hold>/lift/", hold_views.hold_lift, name="hold_lift"),
    path("desk/openings/", revealing.openings, name="openings"),
    path("desk/cases/<uuid:case>/name/", revealing.case_reveal, name="case_reveal"),
    path("desk/cases/<uuid:case>/files/<uuid:file>/", views.case_file, name="case_file"),
    *(path(f"desk/cases/<uuid:case>/{name}/", views.act(name), name=f"case_{name}") for name in views.ACTIONS),
]
