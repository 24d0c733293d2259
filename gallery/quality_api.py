"""Quality and duplicates for programs; hiding is `POST /boxes` of curation."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import duplicates, quality
from gallery.errors import UnknownDataset
from gallery.models import Dataset, Quality
from gallery.quality import Thresholds
from pedsite.accounts.roles import Curates
from pedsite.api import Pages
from pedsite.jobs.api import JobOutput

PAGING = [OpenApiParameter("cursor"), OpenApiParameter("limit", int)]


class QualityApi(APIView):
    """Curators only; what they may not see is as if it were not there."""

    permission_classes = [IsAuthenticated, Curates]


class MeasureApi(QualityApi):
    class Input(serializers.Serializer):
        dataset = serializers.CharField(max_length=100)

        class Meta:
            ref_name = "MeasureBoxes"

    @extend_schema(
        operation_id="measure_boxes",
        request=Input,
        responses={202: JobOutput},
        examples=[OpenApiExample("a dataset", value={"dataset": "mall"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Measure the boxes that were not, or that changed, and group what looks the same."""
        data = self.Input(data=request.data)
        data.is_valid(raise_exception=True)
        job = quality.request(_dataset(request, data.validated_data["dataset"]), request.user)
        output = JobOutput(job, context={"request": request}).data
        return Response(output, status=202, headers={"Location": output["url"]})


class FlaggedApi(QualityApi):
    class Wanted(serializers.Serializer):
        dataset = serializers.CharField(max_length=100)
        reason = serializers.ChoiceField(quality.REASONS, required=False)
        shorter = serializers.IntegerField(
            default=Thresholds.shorter, min_value=0, max_value=100_000
        )
        sharpness = serializers.FloatField(
            default=Thresholds.sharpness, min_value=0, max_value=1000
        )
        covered = serializers.FloatField(default=Thresholds.covered, min_value=0, max_value=1)
        cut = serializers.BooleanField(default=Thresholds.cut)

    class Output(serializers.ModelSerializer):
        reasons = serializers.SerializerMethodField()

        class Meta:
            ref_name = "BoxQuality"
            model = Quality
            fields = [
                "box", "bounds", "shorter", "longer", "sharpness", "covered", "cut", "reasons",
                "measured_at",
            ]  # fmt: skip

        def get_reasons(self, row: Quality) -> list[str]:
            return quality.why(row, self.context["limits"])

    @extend_schema(
        operation_id="quality", parameters=[Wanted, *PAGING], responses=Output(many=True)
    )
    def get(self, request: Request) -> Response:
        """Boxes below a threshold, newest measure first."""
        wanted = self.Wanted(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        given = dict(wanted.validated_data)
        dataset, reason = _dataset(request, given.pop("dataset")), given.pop("reason", "")
        limits = Thresholds(**given)
        pages = Pages()
        page = pages.paginate_queryset(quality.flagged(dataset, limits, reason), request, view=self)
        output = self.Output(page, many=True, context={"limits": limits})
        return pages.get_paginated_response(output.data)


class DuplicatesApi(QualityApi):
    class Wanted(serializers.Serializer):
        dataset = serializers.CharField(max_length=100)
        kind = serializers.ChoiceField(["exact", "near"], required=False)

    class Output(serializers.Serializer):
        class Twin(serializers.Serializer):
            box = serializers.IntegerField(source="box_id")
            bits = serializers.IntegerField(
                source="twin_bits", help_text="Of 128, in which it differs from what is kept."
            )

            class Meta:
                ref_name = "Twin"

        keep = serializers.IntegerField(source="keep.pk", help_text="The box that shows most.")
        exact = serializers.BooleanField(source="is_exact")
        twins = Twin(many=True)

        class Meta:
            ref_name = "Duplicates"

    @extend_schema(
        operation_id="duplicates", parameters=[Wanted, *PAGING], responses=Output(many=True)
    )
    def get(self, request: Request) -> Response:
        """Boxes that look the same, in groups, each with the one that is worth keeping."""
        wanted = self.Wanted(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        given: dict[str, Any] = wanted.validated_data
        rows = duplicates.groups(_dataset(request, given["dataset"]), given.get("kind", ""))
        pages = Pages()
        page = pages.paginate_queryset(rows, request, view=self)
        output = self.Output([duplicates.told(box) for box in page], many=True)
        return pages.get_paginated_response(output.data)


def _dataset(request: Request, name: str) -> Dataset:
    found = Dataset.objects.visible_to(request.user).filter(name=name).first()
    if found is None:
        raise UnknownDataset(name)
    return found
