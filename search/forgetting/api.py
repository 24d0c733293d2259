"""Removals and retention rules for programs of administrators."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import datasets
from pedsite.accounts.roles import Administers
from pedsite.api import Pages
from search.forgetting import removal, retention
from search.forgetting.models import Removal, RetentionRule

EXAMPLE: dict[str, Any] = {
    "id": 3,
    "why": "person",
    "dataset_name": "mall",
    "purpose": "request of 2026-03-14",
    "job": 118,
    "state": "done",
    "report": {
        "removed": {"boxes": 4, "captions": 8, "embeddings": 4, "frames_painted": 3, "frames": 1},
        "held": {"snapshots": [{"id": 2, "number": 1, "boxes": 4}], "runs": []},
        "checks": [{"what": "boxes", "left": 0}, {"what": "stored files", "left": 0}],
    },
    "requested_by": "ada",
    "requested_at": "2026-03-14T09:30:00Z",
    "finished_at": "2026-03-14T09:30:09Z",
}
RULE = {"dataset": "mall", "days": 30, "since": "taken", "images_due": 120, "boxes_due": 188}


class RemovalsApiBase(APIView):
    permission_classes = [IsAuthenticated, Administers]
    key_scope = "operate"


class RemovalOutput(serializers.ModelSerializer):
    state = serializers.CharField(source="job.state", default="")
    requested_by = serializers.CharField(
        source="requested_by.username", default=None, allow_null=True
    )

    class Meta:
        ref_name = "Removal"
        model = Removal
        fields = list(EXAMPLE)


class RemovalsApi(RemovalsApiBase):
    """People and pictures that were removed for good."""

    class Input(serializers.Serializer):
        box = serializers.IntegerField(
            min_value=1,
            max_value=2**63 - 1,
            help_text="It shows the person: all boxes of the same identity go, or it alone.",
        )
        confirm = serializers.CharField(
            max_length=250, help_text="The key of the identity; without one, the box's number."
        )
        purpose = serializers.CharField(max_length=200, default="", allow_blank=True)

        class Meta:
            ref_name = "Forget"

    @extend_schema(
        operation_id="removals",
        parameters=[OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=RemovalOutput(many=True),
        examples=[OpenApiExample("One that is done", response_only=True, value=EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        pages = Pages()
        rows = Removal.objects.select_related("job", "requested_by")
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(RemovalOutput(page, many=True).data)

    @extend_schema(
        operation_id="forget_person",
        request=Input,
        responses={202: RemovalOutput},
        examples=[
            OpenApiExample(
                "Forget whom box 17 shows",
                request_only=True,
                value={"box": 17, "confirm": "person 4", "purpose": "request of 2026-03-14"},
            ),
            OpenApiExample("On its way", response_only=True, value=EXAMPLE),
        ],
    )
    def post(self, request: Request) -> Response:
        """Forget a person: there is no way back."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        made = removal.forget(
            wanted["box"], request.user, typed=wanted["confirm"], purpose=wanted["purpose"]
        )
        return Response(RemovalOutput(made).data, status=202)


class RemovalApi(RemovalsApiBase):
    """One removal."""

    @extend_schema(
        operation_id="removal",
        responses=RemovalOutput,
        examples=[OpenApiExample("One that is done", response_only=True, value=EXAMPLE)],
    )
    def get(self, request: Request, pk: int) -> Response:
        """How far it is, what it removed, and who had held it."""
        return Response(RemovalOutput(removal.find(pk)).data)


class RemovalAgainApi(RemovalsApiBase):
    """A removal whose job ended before everything was gone."""

    @extend_schema(operation_id="removal_again", request=None, responses={202: RemovalOutput})
    def post(self, request: Request, pk: int) -> Response:
        """Go on with it."""
        made = removal.again(removal.find(pk), request.user)
        return Response(RemovalOutput(made).data, status=202)


class RetentionApi(RemovalsApiBase):
    """How long pictures are kept."""

    class Output(serializers.Serializer):
        dataset = serializers.CharField()
        days = serializers.IntegerField(allow_null=True, help_text="Null: for ever.")
        since = serializers.ChoiceField(RetentionRule.Since.choices)
        images_due = serializers.IntegerField(help_text="That would be removed now.")
        boxes_due = serializers.IntegerField()

        class Meta:
            ref_name = "RetentionRule"

    class Input(serializers.Serializer):
        dataset = serializers.CharField(max_length=100)
        days = serializers.IntegerField(
            min_value=1, max_value=retention.MOST_DAYS, allow_null=True, help_text="Null: for ever."
        )
        since = serializers.ChoiceField(
            RetentionRule.Since.choices, default=RetentionRule.Since.TAKEN.value
        )

        class Meta:
            ref_name = "SetRetention"

    @extend_schema(
        operation_id="retention",
        responses=Output(many=True),
        examples=[OpenApiExample("A rule", response_only=True, value=RULE)],
    )
    def get(self, request: Request) -> Response:
        """The rules, each with what it would remove now: a dry run."""
        rules = RetentionRule.objects.select_related("dataset")
        return Response([_told(rule) for rule in rules])

    @extend_schema(
        operation_id="set_retention",
        request=Input,
        responses=Output,
        examples=[
            OpenApiExample("Thirty days", request_only=True, value={"dataset": "mall", "days": 30}),
            OpenApiExample("A rule", response_only=True, value=RULE),
        ],
    )
    def put(self, request: Request) -> Response:
        """Set or, with null days, drop the rule of a dataset; it is applied once a day."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        dataset = datasets.get(wanted["dataset"])
        rule = retention.set_rule(dataset, wanted["days"], wanted["since"], request.user)
        if rule is None:
            told = {"dataset": dataset.name, "days": None, "since": wanted["since"]}
            return Response(told | {"images_due": 0, "boxes_due": 0})
        return Response(_told(rule))


def _told(rule: RetentionRule) -> dict[str, Any]:
    due = retention.due(rule)
    return {
        "dataset": rule.dataset.name,
        "days": rule.days,
        "since": rule.since,
        "images_due": due.images,
        "boxes_due": due.boxes,
    }
