"""The addresses of captions, of quality and of duplicates: pages, and operations of the API."""

from django.urls import path

from gallery import caption_api as api
from gallery import caption_views as views
from gallery import quality_api, quality_views

urlpatterns = [
    path("datasets/<str:name>/captions/", views.caption_list, name="captions"),
    path("datasets/<str:name>/captions/one/", views.one, name="caption-one"),
    path("datasets/<str:name>/captions/missing/", views.missing, name="captions-missing"),
    path("datasets/<str:name>/captions/change/", views.change, name="captions-change"),
    path("datasets/<str:name>/captions/edit/", views.edit, name="captions-edit"),
    path("datasets/<str:name>/captions/add/", views.add, name="captions-add"),
    path("datasets/<str:name>/captions/replace/", views.replace, name="captions-replace"),
    path("datasets/<str:name>/captions/replaced/", views.replaced, name="captions-replaced"),
    path("datasets/<str:name>/quality/", quality_views.flagged, name="quality"),
    path("datasets/<str:name>/quality/measure/", quality_views.measure, name="quality-measure"),
    path("datasets/<str:name>/quality/hide/", quality_views.hide, name="quality-hide"),
    path("datasets/<str:name>/duplicates/", quality_views.duplicate_list, name="duplicates"),
    path("datasets/<str:name>/duplicates/keep/", quality_views.keep, name="duplicates-keep"),
]
api_urlpatterns = [
    path("captions", api.CaptionListApi.as_view(), name="captions"),
    path("captions/decide", api.CaptionDecideApi.as_view(), name="captions-decide"),
    path("captions/replace", api.CaptionReplaceApi.as_view(), name="captions-replace"),
    path("captions/<int:caption_id>", api.CaptionOneApi.as_view(), name="caption"),
    path("quality", quality_api.FlaggedApi.as_view(), name="quality"),
    path("quality/measure", quality_api.MeasureApi.as_view(), name="quality-measure"),
    path("duplicates", quality_api.DuplicatesApi.as_view(), name="duplicates"),
]
