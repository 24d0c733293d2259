from django.urls import include, path

from search import (
    api,
    batch_api,
    generation_api,
    generation_views,
    inspection_views,
    person_api,
    person_views,
    result_views,
    saved_api,
    views,
)
from search.cases import api as case_api
from search.cases import views as case_views
from search.drafting import api as drafting_api
from search.drafting import views as drafting_views
from search.forgetting import api as forgetting_api
from search.forgetting import views as forgetting_views
from search.review import adjudication_views
from search.review import api as review_api
from search.review import views as review_views
from search.snapshots import api as snapshot_api
from search.snapshots import views as snapshot_views

app_name = "search"
generation_patterns = [
    path("generations/", generation_views.generation_list, name="list"),
    path("generations/<str:name>/", generation_views.generation, name="detail"),
    path("generations/<str:name>/enroll/", generation_views.enroll, name="enroll"),
    path("generations/<str:name>/switch/", generation_views.switch, name="switch"),
    path("generations/<str:name>/roll-back/", generation_views.roll_back, name="roll-back"),
    path("generations/<str:name>/delete/", generation_views.delete, name="delete"),
    path("generations/<str:name>/compare/", generation_views.compare, name="compare"),
    path("comparisons/<int:comparison_id>/", generation_views.comparison, name="comparison"),
    path("comparisons/<int:comparison_id>/judge/", generation_views.judge, name="judge"),
]
inspection_patterns = [
    path("inspections/", inspection_views.inspection_list, name="list"),
    path("inspections/new/", inspection_views.start, name="new"),
    path("inspections/<int:inspection_id>/", inspection_views.inspection, name="detail"),
    path(
        "inspections/<int:inspection_id>/questions/<int:number>/",
        inspection_views.question,
        name="question",
    ),
]
drafting_patterns = [
    path("datasets/<str:name>/captions/draft/", drafting_views.start, name="start"),
]
review_patterns = [
    path("review/", review_views.review_list, name="list"),
    path("review/one/", review_views.one, name="one"),
    path("review/agreement/", review_views.agreed, name="agreement"),
    path("review/differing/", adjudication_views.differing, name="differing"),
    path("review/adjudicate/", adjudication_views.decide, name="adjudicate"),
    path("review/adjudicate/undo/", adjudication_views.undo, name="adjudicate-undo"),
    path("review/decide/", review_views.decide, name="decide"),
    path("review/undo/", review_views.undo, name="undo"),
    path("review/judge/", review_views.judge, name="judge"),
    path("review/send/", review_views.send, name="send"),
    path("review/withdraw/", review_views.withdraw, name="withdraw"),
    path("cases/", case_views.case_list, name="cases"),
    path("cases/new/", case_views.start, name="case-new"),
    path("cases/add/", case_views.add, name="case-add"),
    path("cases/<int:pk>/", case_views.case, name="case"),
    path("cases/<int:pk>/change/", case_views.change, name="case-change"),
    path("cases/<int:pk>/export/", case_views.export, name="case-export"),
    path("cases/<int:pk>/exports/<int:export_id>/", case_views.download, name="case-download"),
]
forgetting_patterns = [
    path("removals/", forgetting_views.removals, name="removals"),
    path("removals/<int:pk>/", forgetting_views.show, name="removal"),
    path("removals/<int:pk>/again/", forgetting_views.again, name="again"),
    path("removals/rules/<str:name>/", forgetting_views.rule, name="rule"),
    path("removals/rules/<str:name>/apply/", forgetting_views.apply, name="apply"),
    path("boxes/<int:box_id>/forget/", forgetting_views.forget, name="forget"),
]
snapshot_patterns = [
    path("snapshots/", snapshot_views.snapshot_list, name="list"),
    path("snapshots/freeze/", snapshot_views.freeze, name="freeze"),
    path("snapshots/compare/", snapshot_views.compare, name="compare"),
    path("snapshots/<int:pk>/", snapshot_views.snapshot, name="detail"),
    path("snapshots/<int:pk>/measure/", snapshot_views.measure, name="measure"),
]
urlpatterns = [
    # Namespaces of their own: the pages belong to the section on models.
    path("", include((generation_patterns, "generations"))),
    path("", include((inspection_patterns, "inspections"))),
    path("", include((review_patterns, "review"))),
    path("", include((forgetting_patterns, "forgetting"))),
    path("", include((drafting_patterns, "drafting"))),
    path("", include((snapshot_patterns, "snapshots"))),
    path("search/", views.search, name="search"),
    path("search/export/<str:form>/", result_views.export, name="export"),
    path("searches/", result_views.saved_list, name="saved-list"),
    path("searches/save/", result_views.save, name="save"),
    path("searches/<int:pk>/seen/", result_views.mark_seen, name="saved-seen"),
    path("searches/<int:pk>/delete/", result_views.forget, name="saved-delete"),
    path("search/retry/", views.retry, name="retry"),
    path("search/picture/", views.picture, name="picture"),
    path("search/pictures/<str:token>/", views.shown_picture, name="shown-picture"),
    path("boxes/<int:box_id>/", views.box, name="box"),
    path("people/<int:identity_id>/", person_views.person, name="person"),
]
api_urlpatterns = [
    path("captions/draft", drafting_api.DraftsApi.as_view(), name="captions-draft"),
    path("search", api.SearchApi.as_view(), name="search"),
    path("search/batch", batch_api.BatchApi.as_view(), name="search-batch"),
    path("searches", saved_api.SavedSearchesApi.as_view(), name="saved-searches"),
    path("searches/<int:pk>", saved_api.SavedSearchApi.as_view(), name="saved-search"),
    path(
        "searches/<int:pk>/seen", saved_api.SavedSearchSeenApi.as_view(), name="saved-search-seen"
    ),
    path("search/retry", api.RetryApi.as_view(), name="search-retry"),
    path("generations", generation_api.GenerationListApi.as_view(), name="generations"),
    path("generations/<str:name>/gate", generation_api.GateApi.as_view(), name="gate"),
    path("generations/<str:name>/enroll", generation_api.EnrollApi.as_view(), name="enroll"),
    path("generations/<str:name>/switch", generation_api.SwitchApi.as_view(), name="switch"),
    path("generations/<str:name>/roll-back", generation_api.RollBackApi.as_view(), name="back"),
    path("generations/<str:name>/delete", generation_api.DeleteApi.as_view(), name="delete"),
    path("comparisons", generation_api.CompareApi.as_view(), name="comparisons"),
    path(
        "comparisons/<int:comparison_id>",
        generation_api.ComparisonApi.as_view(),
        name="comparison",
    ),
    path("findings", review_api.FindingsApi.as_view(), name="findings"),
    path("judgements", review_api.JudgementsApi.as_view(), name="judgements"),
    path("cases", case_api.CasesApi.as_view(), name="cases"),
    path("cases/<int:pk>", case_api.CaseApi.as_view(), name="case"),
    path("cases/<int:pk>/hits", case_api.HitsApi.as_view(), name="case-hits"),
    path("cases/<int:pk>/searches", case_api.SearchesApi.as_view(), name="case-searches"),
    path("cases/<int:pk>/notes", case_api.NotesApi.as_view(), name="case-notes"),
    path("cases/<int:pk>/<str:kind>/<int:entry>", case_api.EntryApi.as_view(), name="case-entry"),
    path("cases/<int:pk>/members", case_api.MembersApi.as_view(), name="case-members"),
    path("cases/<int:pk>/history", case_api.HistoryApi.as_view(), name="case-history"),
    path("cases/<int:pk>/exports", case_api.ExportsApi.as_view(), name="case-exports"),
    path(
        "cases/<int:pk>/exports/<int:export_id>/file",
        case_api.ExportFileApi.as_view(),
        name="case-export-file",
    ),
    path("removals", forgetting_api.RemovalsApi.as_view(), name="removals"),
    path("removals/<int:pk>", forgetting_api.RemovalApi.as_view(), name="removal"),
    path("removals/<int:pk>/again", forgetting_api.RemovalAgainApi.as_view(), name="removal-again"),
    path("retention", forgetting_api.RetentionApi.as_view(), name="retention"),
    path(
        "identities/<int:identity_id>/likeness",
        person_api.LikenessApi.as_view(),
        name="identity-likeness",
    ),
    path("snapshots", snapshot_api.SnapshotsApi.as_view(), name="snapshots"),
    path("snapshots/<int:pk>", snapshot_api.SnapshotApi.as_view(), name="snapshot"),
    path(
        "snapshots/<int:pk>/compare",
        snapshot_api.SnapshotComparisonApi.as_view(),
        name="snapshot-compare",
    ),
    path("adjudications/waiting", adjudication_views.WaitingApi.as_view(), name="differing"),
    path("adjudications", adjudication_views.AdjudicationsApi.as_view(), name="adjudications"),
    path(
        "adjudications/<int:pk>", adjudication_views.AdjudicationApi.as_view(), name="adjudication"
    ),
    path("agreement", review_api.AgreementApi.as_view(), name="agreement"),
    path("judgements/undo", review_api.UndoApi.as_view(), name="judgement-undo"),
]
