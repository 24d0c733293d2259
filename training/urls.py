from django.urls import path

from training import api, views

app_name = "training"
urlpatterns = [
    path("models/", views.model_list, name="model-list"),
    path("models/<str:name>/", views.model, name="model"),
]
api_urlpatterns = [
    path("models", api.ModelListApi.as_view(), name="models"),
]
