"""Evaluations for programs: list, one with all its numbers, have a version measured."""

from typing import Any

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery.errors import UnknownDataset
from gallery.models import Dataset
from pedsite.accounts.models import User
from pedsite.accounts.roles import WritesAsOperator
from pedsite.api import Pages
from training import evaluations, versions
from training.errors import UnknownTeacher
from training.models import Evaluation, ModelVersion, Teacher

EXAMPLE: dict[str, Any] = {
    "id": 7,
    "url": "http://127.0.0.1:8000/api/v1/evaluations/7",
    "page_url": "http://127.0.0.1:8000/evaluations/7/",
    "version": "pedsite-2",
    "teacher": None,
    "dataset": "demo",
    "snapshot": 1,
    "fingerprint": "3839b234999de4fb736dfc9241af5449b91f72ce7bc4f9099f75e21cda254764",
    "split": "test",
    "protocol": "all_pairs",
    "language": "",
    "look": 1,
    "state": "done",
    "job": 31,
    "error": "",
    "created_at": "2026-03-14T09:30:00Z",
}
NUMBERS = {
    "t2i": {"r1": {"value": 0.506, "interval": [0.482, 0.533]}},
    "i2t": {"r1": {"value": 0.797, "interval": [0.763, 0.832]}},
    "verification": {
        "pairs": {"genuine": 10988, "impostor": 2708118, "ignored": 6},
        "eer": {"value": 0.087, "threshold": 0.1276, "interval": [0.082, 0.092]},
        "frr_at_far": {
            "1e-03": {
                "value": 0.752,
                "far": 0.001,
                "threshold": 0.2687,
                "interval": [0.723, 0.777],
            }
        },
    },
}


class EvaluationOutput(serializers.ModelSerializer):
    """What a list shows of an evaluation."""

    url = serializers.HyperlinkedIdentityField(
        view_name="api:evaluation", lookup_url_kwarg="evaluation_id"
    )
    page_url = serializers.SerializerMethodField()
    version = serializers.CharField(source="version.name", default=None, allow_null=True)
    teacher = serializers.CharField(source="teacher.name", default=None, allow_null=True)
    dataset = serializers.CharField(source="snapshot.dataset.name")
    snapshot = serializers.IntegerField(
        source="snapshot.number", help_text="Which of the dataset's frozen states."
    )
    fingerprint = serializers.CharField(source="snapshot.fingerprint")
    state = serializers.CharField(source="job.state")
    error = serializers.CharField(source="job.error")

    class Meta:
        ref_name = "Evaluation"
        model = Evaluation
        fields = [
            "id",
            "url",
            "page_url",
            "version",
            "teacher",
            "dataset",
            "snapshot",
            "fingerprint",
            "split",
            "protocol",
            "language",
            "look",
            "state",
            "job",
            "error",
            "created_at",
        ]
        extra_kwargs = {
            "look": {
                "help_text": "How often this version was measured on this test split, this time "
                "included; only 1 is a test. Null on other splits."
            }
        }

    def get_page_url(self, evaluation: Evaluation) -> str:
        address = reverse("training:evaluation", args=[evaluation.pk])
        return self.context["request"].build_absolute_uri(address)


class EvaluationListApi(APIView):
    """Evaluations on datasets that you may see; operators have a version measured."""

    key_scope = {"POST": "operate"}

    permission_classes = [IsAuthenticated, WritesAsOperator]

    class Filter(serializers.Serializer):
        version = serializers.CharField(required=False)
        dataset = serializers.CharField(required=False)
        split = serializers.ChoiceField(Evaluation.Split.choices, required=False)

    class Input(serializers.Serializer):
        version = serializers.CharField(required=False, help_text="A model version, or else")
        teacher = serializers.CharField(
            required=False, help_text="a store of a teacher's vectors of that dataset."
        )
        dataset = serializers.CharField(help_text="It is frozen now; its snapshot is measured.")
        split = serializers.ChoiceField(
            Evaluation.Split.choices,
            help_text="Choose by validation; every look at test is counted.",
        )
        protocol = serializers.ChoiceField(
            Evaluation.Protocol.choices, default=Evaluation.Protocol.ALL_PAIRS
        )
        language = serializers.ChoiceField(
            evaluations.LANGUAGES,
            default="",
            allow_blank=True,
            help_text="Of the captions that ask; empty for all.",
        )

        class Meta:
            ref_name = "EvaluationRequest"

        def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
            if ("version" in attrs) == ("teacher" in attrs):
                raise serializers.ValidationError("Give exactly one of version and teacher.")
            return attrs

    @extend_schema(
        operation_id="evaluations",
        summary="Evaluations on datasets that you may see, newest first",
        parameters=[Filter, OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=EvaluationOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        wanted = self.Filter(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        places = {"version": "version__name", "dataset": "snapshot__dataset__name"}
        narrow = {places.get(name, name): of for name, of in wanted.validated_data.items()}
        found = Evaluation.objects.visible_to(request.user).with_context().filter(**narrow)
        found = found.defer("metrics", "details", "predictions")
        pages = Pages()
        page = pages.paginate_queryset(found, request, view=self)
        output = EvaluationOutput(page, many=True, context={"request": request})
        return pages.get_paginated_response(output.data)

    @extend_schema(
        operation_id="evaluate",
        summary="Have a version measured on a split",
        request=Input,
        responses={202: EvaluationOutput},
        examples=[
            OpenApiExample(
                "On the validation split, in Chinese",
                request_only=True,
                value={
                    "version": "pedsite-2",
                    "dataset": "demo",
                    "split": "validation",
                    "language": "zh",
                },
            ),
            OpenApiExample(
                "Queued",
                response_only=True,
                status_codes=["202"],
                value=EXAMPLE | {"state": "queued"},
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """The same measurement of unchanged data is answered with the one that is there."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        made = evaluations.request(
            _subject(wanted, request.user),
            visible_dataset(wanted["dataset"], request.user),
            wanted["split"],
            protocol=wanted["protocol"],
            language=wanted["language"],
            user=request.user,
        )
        output = EvaluationOutput(made, context={"request": request})
        return Response(output.data, status=status.HTTP_202_ACCEPTED)


class EvaluationApi(APIView):
    """One evaluation with all its numbers, on a dataset that you may see."""

    class Output(EvaluationOutput):
        metrics = serializers.JSONField(
            help_text="As `evaluate --json` writes them; empty until the job is done."
        )

        class Meta(EvaluationOutput.Meta):
            ref_name = "EvaluationDetail"
            fields = [*EvaluationOutput.Meta.fields, "metrics"]

    @extend_schema(
        operation_id="evaluation",
        summary="One evaluation with all its numbers",
        responses=Output,
        examples=[
            OpenApiExample("Measured", response_only=True, value=EXAMPLE | {"metrics": NUMBERS})
        ],
    )
    def get(self, request: Request, evaluation_id: int) -> Response:
        rows = Evaluation.objects.visible_to(request.user).with_context()
        found = rows.filter(pk=evaluation_id).first()
        if found is None:
            raise Http404
        return Response(self.Output(found, context={"request": request}).data)


def _subject(wanted: dict[str, Any], user: User) -> ModelVersion | Teacher:
    """Raises: UnknownVersion, UnknownTeacher."""
    if "version" in wanted:
        return versions.get(wanted["version"])
    shown = Teacher.objects.filter(snapshot__dataset__in=Dataset.objects.visible_to(user))
    found = shown.filter(name=wanted["teacher"]).first()
    if found is None:
        raise UnknownTeacher(wanted["teacher"])
    return found


def visible_dataset(name: str, user: User) -> Dataset:
    """The dataset, if it is shared with the user. Raises: UnknownDataset."""
    found = Dataset.objects.visible_to(user).filter(name=name).first()
    if found is None:
        raise UnknownDataset(name)
    return found
