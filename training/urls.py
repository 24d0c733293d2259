from django.urls import path

from training.api import evaluations as evaluations_api
from training.api import models as models_api
from training.views import evaluations, models

app_name = "training"
urlpatterns = [
    path("models/", models.model_list, name="model-list"),
    path("models/<str:name>/", models.model, name="model"),
    path("evaluations/", evaluations.evaluation_list, name="evaluation-list"),
    path("evaluations/new/", evaluations.evaluation_new, name="evaluation-new"),
    path("evaluations/<int:evaluation_id>/", evaluations.evaluation, name="evaluation"),
    path(
        "evaluations/<int:evaluation_id>/numbers.json",
        evaluations.evaluation_json,
        name="evaluation-json",
    ),
    path(
        "evaluations/<int:evaluation_id>/numbers.csv",
        evaluations.evaluation_csv,
        name="evaluation-csv",
    ),
    path(
        "evaluations/<int:evaluation_id>/curve.csv",
        evaluations.evaluation_curve,
        name="evaluation-curve",
    ),
]
api_urlpatterns = [
    path("models", models_api.ModelListApi.as_view(), name="models"),
    path("evaluations", evaluations_api.EvaluationListApi.as_view(), name="evaluations"),
    path(
        "evaluations/<int:evaluation_id>",
        evaluations_api.EvaluationApi.as_view(),
        name="evaluation",
    ),
]
