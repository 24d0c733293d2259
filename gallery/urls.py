from django.urls import path

from gallery import api, media, views

app_name = "gallery"
urlpatterns = [
    path("datasets/", views.dataset_list, name="dataset-list"),
    path("datasets/<str:name>/", views.dataset_detail, name="dataset"),
    path("pictures/boxes/<int:box_id>.jpg", media.crop, name="crop"),
    path("pictures/images/<int:image_id>.jpg", media.frame, name="frame"),
]
api_urlpatterns = [
    path("datasets", api.DatasetListApi.as_view(), name="datasets"),
    path("boxes/<int:box_id>", api.BoxApi.as_view(), name="box"),
]
