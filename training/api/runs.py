"""Trainings for programs: list, start, one with its curves, cancel, resume, end early."""

from typing import Any

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pedsite.accounts.roles import WritesAsOperator
from pedsite.api import Pages
from pedsite.jobs import work
from pedsite.jobs.models import Job
from training import charts, runs
from training.api.evaluations import visible_dataset
from training.errors import BadSetting
from training.ml.recipes import RECIPES
from training.models import TrainingRun
from training.run_form import setting_in

EXAMPLE: dict[str, Any] = {
    "id": 4,
    "url": "http://127.0.0.1:8000/api/v1/runs/4",
    "page_url": "http://127.0.0.1:8000/runs/4/",
    "recipe": "clip",
    "version_name": "night-shift",
    "version": None,
    "source": "drawn:1:8000",
    "fingerprint": None,
    "revision": "8c90a5f3a1b2",
    "state": "running",
    "job": 40,
    "queue_position": None,
    "done": 1200,
    "total": 6000,
    "eta": 840.5,
    "note": "loss 2.310",
    "error": "",
    "created_at": "2026-03-14T09:30:00Z",
}


class RunOutput(serializers.ModelSerializer):
    """How every operation here shows a training."""

    url = serializers.HyperlinkedIdentityField(view_name="api:run", lookup_url_kwarg="run_id")
    page_url = serializers.SerializerMethodField()
    version = serializers.CharField(
        source="version.name", default=None, allow_null=True, help_text="The version that it gave."
    )
    source = serializers.CharField(help_text="What it learns from.")
    fingerprint = serializers.CharField(
        source="snapshot.fingerprint",
        default=None,
        allow_null=True,
        help_text="Of the frozen data.",
    )
    state = serializers.CharField(source="job.state")
    queue_position = serializers.IntegerField(source="job.queue_position", allow_null=True)
    done = serializers.IntegerField(source="job.done", help_text="Steps.")
    total = serializers.IntegerField(source="job.total", allow_null=True)
    eta = serializers.FloatField(source="job.eta", allow_null=True, help_text="Seconds left.")
    note = serializers.CharField(source="job.note")
    error = serializers.CharField(source="job.error")

    class Meta:
        ref_name = "Run"
        model = TrainingRun
        fields = list(EXAMPLE)

    def get_page_url(self, run: TrainingRun) -> str:
        return self.context["request"].build_absolute_uri(reverse("training:run", args=[run.pk]))


class RunListApi(APIView):
    """Trainings that you may see; operators start one."""

    key_scope = {"POST": "operate"}

    permission_classes = [IsAuthenticated, WritesAsOperator]

    class Filter(serializers.Serializer):
        state = serializers.ChoiceField(Job.State.choices, required=False)
        recipe = serializers.ChoiceField(list(RECIPES), required=False)

    class Input(serializers.Serializer):
        recipe = serializers.ChoiceField(list(RECIPES))
        dataset = serializers.CharField(
            help_text="Its name, or drawn:SEED:COUNT for people drawn for it."
        )
        snapshot = serializers.IntegerField(
            required=False,
            allow_null=True,
            min_value=1,
            max_value=2**31 - 1,
            help_text="Number of a snapshot of the dataset to learn from; without one the dataset "
            "is frozen now, without what reviewers said.",
        )
        settings = serializers.DictField(
            default=dict, help_text="Settings that differ from the recipe's."
        )
        name = serializers.CharField(
            default="", allow_blank=True, max_length=100, help_text="Of the version that it gives."
        )
        licence = serializers.CharField(default="", allow_blank=True, max_length=200)

        class Meta:
            ref_name = "RunRequest"

    @extend_schema(
        operation_id="runs",
        summary="Trainings that you may see, newest first",
        parameters=[Filter, OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=RunOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        wanted = self.Filter(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        narrow = {"state": "job__state"}
        found = TrainingRun.objects.visible_to(request.user).with_job()
        found = found.filter(**{narrow.get(k, k): v for k, v in wanted.validated_data.items()})
        pages = Pages()
        page = pages.paginate_queryset(found, request, view=self)
        output = RunOutput(page, many=True, context={"request": request})
        return pages.get_paginated_response(output.data)

    @extend_schema(
        operation_id="train",
        summary="Start a training",
        request=Input,
        responses={202: RunOutput},
        examples=[
            OpenApiExample(
                "On drawn people",
                request_only=True,
                value={
                    "recipe": "clip",
                    "dataset": "drawn:1:8000",
                    "settings": {"steps": 3000, "batch": 96},
                    "name": "night-shift",
                },
            ),
            OpenApiExample(
                "Queued",
                response_only=True,
                status_codes=["202"],
                value=EXAMPLE | {"state": "queued", "queue_position": 1, "done": 0, "note": ""},
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Freezes the data and the whole configuration now; a wrong setting is named."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        if not wanted["dataset"].startswith(runs.DRAWN):
            visible_dataset(wanted["dataset"], request.user)
        try:
            made = runs.request(
                wanted["recipe"],
                wanted["dataset"],
                wanted["settings"],
                name=wanted["name"],
                licence=wanted["licence"],
                user=request.user,
                snapshot=wanted.get("snapshot"),
            )
        except BadSetting as exc:
            name = setting_in(str(exc))
            problem: Any = [str(exc)]
            raise serializers.ValidationError(
                {"settings": {name: problem} if name else problem}
            ) from exc
        return _answer(made, request, status.HTTP_202_ACCEPTED)


class RunApi(APIView):
    """One training with its configuration and its curves."""

    class Output(RunOutput):
        config = serializers.JSONField(help_text="Every setting, as it was frozen.")
        curves = serializers.SerializerMethodField(
            help_text="Name -> [[step, value], …], evenly thinned where there are many."
        )

        class Meta(RunOutput.Meta):
            ref_name = "RunDetail"
            fields = [*RunOutput.Meta.fields, "config", "curves"]

        def get_curves(self, run: TrainingRun) -> dict[str, list[list[float]]]:
            found = run.points.thinned(charts.MOST_POINTS).curves()
            return {name: [list(point) for point in points] for name, points in found.items()}

    @extend_schema(
        operation_id="run",
        summary="One training with its configuration and curves",
        responses=Output,
        examples=[
            OpenApiExample(
                "While it learns",
                response_only=True,
                value=EXAMPLE
                | {
                    "config": {"recipe": "clip", "steps": 6000, "batch": 128},
                    "curves": {"loss": [[20, 4.812], [40, 4.102]], "lr": [[20, 6.6e-05]]},
                },
            )
        ],
    )
    def get(self, request: Request, run_id: int) -> Response:
        found = _visible(request, run_id)
        return Response(self.Output(found, context={"request": request}).data)


class RunCancelApi(APIView):
    """POST to end a training at once; its last checkpoint stays. 409 if it is over."""

    key_scope = {"POST": "operate"}

    @extend_schema(
        operation_id="run_cancel",
        summary="End a training at once",
        request=None,
        responses=RunOutput,
    )
    def post(self, request: Request, run_id: int) -> Response:
        work.cancel(_visible(request, run_id).job)
        return _answer(_visible(request, run_id), request)


class RunFinishApi(APIView):
    """POST to end a training with a version when its epoch is over. 409 if it is over already."""

    key_scope = {"POST": "operate"}

    permission_classes = [IsAuthenticated, WritesAsOperator]

    @extend_schema(
        operation_id="run_finish",
        summary="End a training with a version after this epoch",
        request=None,
        responses={202: RunOutput},
    )
    def post(self, request: Request, run_id: int) -> Response:
        runs.finish(_visible(request, run_id))
        return _answer(_visible(request, run_id), request, status.HTTP_202_ACCEPTED)


class RunResumeApi(APIView):
    """POST to queue a failed or cancelled training again. 409 if there is nothing to resume."""

    key_scope = {"POST": "operate"}

    permission_classes = [IsAuthenticated, WritesAsOperator]

    @extend_schema(
        operation_id="run_resume",
        summary="Go on with a training from its last checkpoint",
        request=None,
        responses={202: RunOutput},
    )
    def post(self, request: Request, run_id: int) -> Response:
        runs.resume(_visible(request, run_id), request.user)
        return _answer(_visible(request, run_id), request, status.HTTP_202_ACCEPTED)


def _visible(request: Request, run_id: int) -> TrainingRun:
    found = TrainingRun.objects.visible_to(request.user).with_job().filter(pk=run_id).first()
    if found is None:
        raise Http404
    return found


def _answer(run: TrainingRun, request: Request, code: int = status.HTTP_200_OK) -> Response:
    return Response(RunOutput(run, context={"request": request}).data, status=code)
