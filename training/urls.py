from django.urls import path

from training.api import evaluations as evaluations_api
from training.api import models as models_api
from training.api import runs as runs_api
from training.views import evaluations, models, runs

app_name = "training"
urlpatterns = [
    path("models/", models.model_list, name="model-list"),
    path("models/<str:name>/", models.model, name="model"),
    path("models/<str:name>/card.json", models.model_card, name="model-card"),
    path("runs/", runs.run_list, name="run-list"),
    path("runs/new/", runs.run_new, name="run-new"),
    path("runs/compare/", runs.run_compare, name="run-compare"),
    path("runs/<int:run_id>/", runs.run, name="run"),
    path("runs/<int:run_id>/cancel/", runs.run_cancel, name="run-cancel"),
    path("runs/<int:run_id>/finish/", runs.run_finish, name="run-finish"),
    path("runs/<int:run_id>/resume/", runs.run_resume, name="run-resume"),
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
    path("runs", runs_api.RunListApi.as_view(), name="runs"),
    path("runs/<int:run_id>", runs_api.RunApi.as_view(), name="run"),
    path("runs/<int:run_id>/cancel", runs_api.RunCancelApi.as_view(), name="run-cancel"),
    path("runs/<int:run_id>/finish", runs_api.RunFinishApi.as_view(), name="run-finish"),
    path("runs/<int:run_id>/resume", runs_api.RunResumeApi.as_view(), name="run-resume"),
    path("evaluations", evaluations_api.EvaluationListApi.as_view(), name="evaluations"),
    path(
        "evaluations/<int:evaluation_id>",
        evaluations_api.EvaluationApi.as_view(),
        name="evaluation",
    ),
]
