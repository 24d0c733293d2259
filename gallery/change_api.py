"""The log of what people changed, for programs: read, and taken back."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gallery import history
from gallery.changes import MODELS
from gallery.curation_api import LARGEST, PAGING, CuratorsApi, dataset_of, given_as, paged
from gallery.models import Action, Change


class ActionOutput(serializers.ModelSerializer):
    dataset = serializers.CharField(source="dataset.name")
    made_by = serializers.CharField(source="made_by.username", default=None, allow_null=True)
    undone_by = serializers.IntegerField(source="undone_by.pk", default=None, allow_null=True)

    class Meta:
        ref_name = "CurationAction"
        model = Action
        fields = ["id", "dataset", "kind", "rows", "made_by", "made_at", "undoes", "undone_by"]


class ActionListApi(CuratorsApi):
    """GET who changed what by hand, newest first; with `model` and `row`, of one row."""

    class Input(serializers.Serializer):
        dataset = serializers.CharField(max_length=100, required=False)
        model = serializers.ChoiceField(list(MODELS), required=False)
        row = serializers.IntegerField(min_value=1, max_value=LARGEST, required=False)

        def validate(self, given: dict[str, Any]) -> dict[str, Any]:
            if ("model" in given) != ("row" in given):
                raise serializers.ValidationError("Give model and row, or neither.")
            return given

    @extend_schema(
        operation_id="actions", parameters=[Input, *PAGING], responses=ActionOutput(many=True)
    )
    def get(self, request: Request) -> Response:
        wanted = given_as(self.Input, request.query_params)
        rows = Action.objects.visible_to(request.user).with_context()
        if "dataset" in wanted:
            rows = rows.filter(dataset=dataset_of(request, wanted["dataset"]))
        if "row" in wanted:
            found = Change.objects.filter(model=wanted["model"], row=wanted["row"])
            rows = rows.filter(pk__in=found.values("action"))
        return paged(self, rows, ActionOutput, request)


class ActionApi(CuratorsApi):
    """GET one action."""

    @extend_schema(operation_id="action", responses=ActionOutput)
    def get(self, request: Request, action_id: int) -> Response:
        return Response(ActionOutput(history.get(action_id, request.user)).data)


class ChangeListApi(CuratorsApi):
    """GET what an action changed: each row with its fields before and after."""

    class Output(serializers.ModelSerializer):
        before = serializers.DictField(allow_null=True)
        after = serializers.DictField(allow_null=True)
        model = serializers.ChoiceField(list(MODELS))

        class Meta:
            ref_name = "CurationChange"
            model = Change
            fields = ["model", "row", "before", "after"]

    @extend_schema(operation_id="changes", parameters=PAGING, responses=Output(many=True))
    def get(self, request: Request, action_id: int) -> Response:
        action = history.get(action_id, request.user)
        return paged(self, Change.objects.filter(action=action), self.Output, request)


class UndoneOutput(serializers.Serializer):
    """`action` is the undo, which can be undone too; `left` what was changed since."""

    class Left(serializers.Serializer):
        model = serializers.CharField()
        row = serializers.IntegerField()
        reason = serializers.CharField()

        class Meta:
            ref_name = "RowLeft"

    action = serializers.IntegerField(source="action.pk")
    restored = serializers.IntegerField()
    left = Left(many=True)

    class Meta:
        ref_name = "CurationUndone"


class UndoActionApi(CuratorsApi):
    """POST to take an action back; 409 where all of it was changed since."""

    @extend_schema(operation_id="action_undo", request=None, responses=UndoneOutput)
    def post(self, request: Request, action_id: int) -> Response:
        action = history.get(action_id, request.user)
        return Response(UndoneOutput(history.undo(action, request.user)).data)
