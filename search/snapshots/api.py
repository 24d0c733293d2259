"""Snapshots for programs: list, freeze, one with what trainings on it bought, compare."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gallery import snapshot_diffs, snapshots
from gallery.errors import UnknownDataset
from gallery.models import Dataset, Snapshot
from pedsite.api import Pages
from pedsite.jobs.api import JobOutput
from search.review.api import LARGEST, PAGING, ReviewApi
from search.snapshots import freezing
from search.snapshots.views import seen_gains
from training import gains

EXAMPLE: dict[str, Any] = {
    "id": 12,
    "dataset": "mall",
    "number": 4,
    "fingerprint": "e75e8885c5e97de1178aa6c8579750f1a810789aa717895c67dc78f055d7e94c",
    "boxes": 1168,
    "captions": 4552,
    "frozen_by": "lan",
    "created_at": "2026-03-14T09:30:00Z",
}
COUNTS = {"boxes": 588, "people": 125, "captions": 2314, "confirmed": 550, "rejected": 424}


class SnapshotOutput(serializers.ModelSerializer):
    dataset = serializers.CharField(source="dataset.name")
    fingerprint = serializers.CharField(help_text="SHA-256 of its lines: equal content, equal one.")
    boxes = serializers.IntegerField(source="box_count")
    captions = serializers.IntegerField(source="caption_count")
    frozen_by = serializers.CharField(source="created_by.username", allow_null=True, default=None)

    class Meta:
        ref_name = "Snapshot"
        model = Snapshot
        fields = list(EXAMPLE)


class SnapshotsApi(ReviewApi):
    """Snapshots of the datasets that you see."""

    class Wanted(serializers.Serializer):
        dataset = serializers.CharField(required=False, max_length=100)

    class Input(serializers.Serializer):
        dataset = serializers.CharField(max_length=100)

        class Meta:
            ref_name = "Freeze"

    @extend_schema(
        operation_id="snapshots",
        parameters=[Wanted, *PAGING],
        responses=SnapshotOutput(many=True),
        examples=[OpenApiExample("One", response_only=True, value=EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        wanted = self.Wanted(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        rows = snapshots.visible_to(request.user)
        if name := wanted.validated_data.get("dataset"):
            rows = rows.filter(dataset__name=name)
        pages = Pages()
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(SnapshotOutput(page, many=True).data)

    @extend_schema(
        operation_id="freeze",
        request=Input,
        responses={202: JobOutput},
        examples=[OpenApiExample("A dataset", request_only=True, value={"dataset": "mall"})],
    )
    def post(self, request: Request) -> Response:
        """Freeze a dataset as it is, with what reviewers agree on; curators only. The finished
        job's result has `snapshot`, its id: that of an earlier one where nothing changed."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        name = given.validated_data["dataset"]
        dataset = Dataset.objects.visible_to(request.user).filter(name=name).first()
        if dataset is None:
            raise UnknownDataset(name)
        job = freezing.request(dataset, request.user)
        return Response(JobOutput(job, context={"request": request}).data, status=202)


class MeasureOutput(serializers.Serializer):
    name = serializers.CharField(
        help_text="first_hit: captions whose first hit shows who was asked for. reciprocal: mean "
        "of 1 / rank of the first such hit among ten. judged: rejected boxes below a confirmed "
        "one of the same words."
    )
    before = serializers.FloatField()
    after = serializers.FloatField()
    difference = serializers.FloatField()
    interval = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="95 %, paired, by person."
    )
    questions = serializers.IntegerField()
    people = serializers.IntegerField()
    verdict = serializers.CharField(help_text="better, worse, or open: nobody can tell.")

    class Meta:
        ref_name = "GainMeasure"


class GainOutput(serializers.Serializer):
    run = serializers.IntegerField(source="run.pk")
    start = serializers.CharField(source="run.config.start")
    version = serializers.CharField(source="run.version.name", default=None, allow_null=True)
    measures = MeasureOutput(many=True, help_text="Empty until both versions are measured.")

    class Meta:
        ref_name = "Gain"


class SnapshotApi(ReviewApi):
    """One snapshot."""

    class Output(SnapshotOutput):
        splits = serializers.SerializerMethodField(help_text="Split -> what it holds.")
        judged = serializers.JSONField(
            help_text="findings: how many count, and why others do not. nameless: on which side "
            "boxes are that nobody named. Empty where judgements were left out."
        )
        gains = serializers.SerializerMethodField(
            help_text="What trainings on it bought that went on from a version."
        )

        class Meta(SnapshotOutput.Meta):
            ref_name = "SnapshotDetail"
            fields = [*SnapshotOutput.Meta.fields, "splits", "judged", "gains"]

        def get_splits(self, snapshot: Snapshot) -> dict[str, dict[str, int]]:
            return snapshots.counts(snapshot)

        @extend_schema(responses=GainOutput(many=True))
        def get_gains(self, snapshot: Snapshot) -> list[dict[str, Any]]:
            user = self.context["request"].user
            found = gains.on(snapshot) if user.operates else seen_gains(snapshot, user)
            return list(GainOutput(found, many=True).data)

    @extend_schema(
        operation_id="snapshot",
        responses=Output,
        examples=[
            OpenApiExample(
                "With judgements",
                response_only=True,
                value=EXAMPLE
                | {
                    "splits": {"train": COUNTS},
                    "judged": {"findings": {"confirmed": 550, "disputed": 3, "rejected": 424}},
                    "gains": [],
                },
            )
        ],
    )
    def get(self, request: Request, pk: int) -> Response:
        """What is in it, and what was learned from it."""
        found = snapshots.get(request.user, pk)
        return Response(self.Output(found, context={"request": request}).data)


class SnapshotComparisonApi(ReviewApi):
    """Two snapshots of one dataset."""

    class Wanted(serializers.Serializer):
        old = serializers.IntegerField(min_value=1, max_value=LARGEST)

    class Output(serializers.Serializer):
        class Change(serializers.Serializer):
            box = serializers.IntegerField()
            split = serializers.CharField()
            kind = serializers.CharField(help_text="added, removed or changed")
            what = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))

            class Meta:
                ref_name = "SnapshotChange"

        counts = serializers.JSONField(help_text="Split -> what came, went and changed.")
        changes = Change(many=True)
        more = serializers.IntegerField(help_text="Boxes that differ beside those.")

        class Meta:
            ref_name = "SnapshotComparison"

    @extend_schema(operation_id="compare_snapshots", parameters=[Wanted], responses=Output)
    def get(self, request: Request, pk: int) -> Response:
        """What came, went and changed since an older one, by split."""
        wanted = self.Wanted(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        old = snapshots.get(request.user, wanted.validated_data["old"])
        found = snapshot_diffs.compare(old, snapshots.get(request.user, pk))
        return Response(self.Output(found).data)
