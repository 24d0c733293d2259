"""Captions for programs: list, add, edit, decide, replace words."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import captions
from gallery.caption_errors import UnknownCaption
from gallery.captions import MOST, MOST_FOUND, Narrow, Outcome, Replacement
from gallery.errors import UnknownDataset
from gallery.models import MAX_CAPTION, Caption, Dataset, Review
from pedsite.accounts.roles import Curates
from pedsite.api import Pages

LARGEST = 2**63 - 1
_EXAMPLE = {
    "id": 7, "box": 17, "dataset": "mall", "kind": "caption", "language": "en",
    "text": "A woman in a red coat.", "source": "drafted", "drafted_by": "pedsite-5",
    "review": "unreviewed", "created_at": "2026-11-22T08:00:00Z",
}  # fmt: skip


class Words(serializers.CharField):
    """As a caption has them; the domain says what is wrong with others."""

    def __init__(self, **more: Any) -> None:
        super().__init__(max_length=MAX_CAPTION, trim_whitespace=False, **more)


class CaptionOutput(serializers.ModelSerializer):
    dataset = serializers.CharField(source="box.image.dataset.name")

    class Meta:
        ref_name = "Caption"
        model = Caption
        fields = [
            "id", "box", "dataset", "kind", "language", "text", "source", "drafted_by", "review",
            "created_at",
        ]  # fmt: skip


class OutcomeOutput(serializers.Serializer):
    class Left(serializers.Serializer):
        caption = serializers.IntegerField()
        reason = serializers.CharField()

        class Meta:
            ref_name = "CaptionLeft"

    changed = serializers.IntegerField()
    actions = serializers.ListField(
        child=serializers.IntegerField(), help_text="One in each dataset, by which it is undone."
    )
    left = Left(many=True, help_text="What stayed as it is.")

    class Meta:
        ref_name = "CaptionsChanged"


class CaptionApi(APIView):
    """Curators only; what they may not see is as if it were not there."""

    permission_classes = [IsAuthenticated, Curates]


class CaptionListApi(CaptionApi):
    class Wanted(serializers.Serializer):
        dataset = serializers.CharField(required=False, max_length=100)
        box = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST)
        language = serializers.ChoiceField(["en", "zh"], required=False)
        source = serializers.ChoiceField(Caption.Source.choices, required=False)
        review = serializers.ChoiceField(Review.choices, required=False)
        kind = serializers.ChoiceField(Caption.Kind.choices, required=False)
        words = serializers.CharField(
            required=False, max_length=MOST_FOUND, help_text="Some text in it, in any case."
        )

    class Input(serializers.Serializer):
        box = serializers.IntegerField(min_value=1, max_value=LARGEST)
        text = Words()
        language = serializers.ChoiceField(
            ["en", "zh"], required=False, help_text="That of its letters if none is named."
        )

        class Meta:
            ref_name = "CaptionAdd"

    @extend_schema(
        operation_id="captions",
        parameters=[Wanted, OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=CaptionOutput(many=True),
        examples=[OpenApiExample("a draft", value=_EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """Captions of the datasets that you may see, newest first."""
        wanted = self.Wanted(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        given = dict(wanted.validated_data)
        rows = Caption.objects.visible_to(request.user)
        if "dataset" in given:
            rows = rows.filter(box__image__dataset=_dataset(request, given.pop("dataset")))
        if "box" in given:
            rows = rows.filter(box=given.pop("box"))
        rows = Narrow(**given).of(rows).select_related("box__image__dataset")
        pages = Pages()
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(CaptionOutput(page, many=True).data)

    @extend_schema(
        operation_id="caption_add",
        request=Input,
        responses={201: CaptionOutput},
        examples=[
            OpenApiExample("a caption", value={"box": 17, "text": "A woman."}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        """A caption that a person wrote: it is approved."""
        data = self.Input(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        made = captions.add(given["box"], given["text"], given.get("language", ""), request.user)
        return Response(CaptionOutput(made).data, status=201)


class CaptionOneApi(CaptionApi):
    class Input(serializers.Serializer):
        text = Words()

        class Meta:
            ref_name = "CaptionEdit"

    @extend_schema(operation_id="caption", responses=CaptionOutput)
    def get(self, request: Request, caption_id: int) -> Response:
        return Response(CaptionOutput(_caption(request, caption_id)).data)

    @extend_schema(operation_id="caption_edit", request=Input, responses=CaptionOutput)
    def patch(self, request: Request, caption_id: int) -> Response:
        """Other words: they are yours from then on, and approved."""
        data = self.Input(data=request.data)
        data.is_valid(raise_exception=True)
        captions.edit(caption_id, data.validated_data["text"], request.user)
        return Response(CaptionOutput(_caption(request, caption_id)).data)


class CaptionDecideApi(CaptionApi):
    class Input(serializers.Serializer):
        captions = serializers.ListField(
            child=serializers.IntegerField(min_value=1, max_value=LARGEST),
            min_length=1,
            max_length=MOST,
        )
        review = serializers.ChoiceField(Review.choices, help_text="hidden: rejected.")

        class Meta:
            ref_name = "CaptionsDecide"

    @extend_schema(
        operation_id="captions_decide",
        request=Input,
        responses=OutcomeOutput,
        examples=[
            OpenApiExample(
                "approve", value={"captions": [7, 8], "review": "approved"}, request_only=True
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Approve or reject many; one action in each dataset, which can be undone."""
        data = self.Input(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        return _answer(captions.decide(given["captions"], given["review"], request.user))


class CaptionReplaceApi(CaptionApi):
    class Input(serializers.Serializer):
        dataset = serializers.CharField(max_length=100)
        find = serializers.CharField(max_length=MOST_FOUND, trim_whitespace=False)
        put = serializers.CharField(max_length=MAX_CAPTION, trim_whitespace=False, allow_blank=True)
        match_case = serializers.BooleanField(default=False)
        whole_words = serializers.BooleanField(default=True)
        language = serializers.ChoiceField(["en", "zh"], required=False)
        source = serializers.ChoiceField(Caption.Source.choices, required=False)
        review = serializers.ChoiceField(Review.choices, required=False)
        dry_run = serializers.BooleanField(default=True, help_text="Only say what would change.")

        class Meta:
            ref_name = "CaptionsReplace"

    class Output(serializers.Serializer):
        class Told(serializers.Serializer):
            caption = serializers.IntegerField(source="caption.pk")
            before = serializers.CharField(source="caption.text")
            after = serializers.CharField(source="text")
            problem = serializers.CharField()

            class Meta:
                ref_name = "CaptionReplaced"

        would = Told(many=True, help_text="At most 100 of those that change, in a dry run.")
        done = OutcomeOutput(allow_null=True)

        class Meta:
            ref_name = "CaptionsReplaced"

    @extend_schema(operation_id="captions_replace", request=Input, responses=Output)
    def post(self, request: Request) -> Response:
        """Words for words in a dataset's captions, a dry run unless told otherwise."""
        data = self.Input(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        rows = Caption.objects.filter(box__image__dataset=_dataset(request, given["dataset"]))
        rows = Narrow(
            **{name: given.get(name, "") for name in ("language", "source", "review")}
        ).of(rows)
        wanted = Replacement(
            find=given["find"],
            put=given["put"],
            match_case=given["match_case"],
            whole_words=given["whole_words"],
        )
        told = captions.foretell(rows, wanted)
        if given["dry_run"] or not told:
            shown = self.Output({"would": told[:100], "done": None})
            return Response(shown.data)
        done = captions.replace([each.caption.pk for each in told], wanted, request.user)
        return Response({"would": [], "done": _plain(done)})


def _dataset(request: Request, name: str) -> Dataset:
    found = Dataset.objects.visible_to(request.user).filter(name=name).first()
    if found is None:
        raise UnknownDataset(name)
    return found


def _caption(request: Request, pk: int) -> Caption:
    rows = Caption.objects.visible_to(request.user).select_related("box__image__dataset")
    found = rows.filter(pk=pk).first() if pk <= LARGEST else None
    if found is None:
        raise UnknownCaption(pk)
    return found


def _plain(done: Outcome) -> dict[str, Any]:
    return {
        "changed": done.changed,
        "actions": [action.pk for action in done.actions],
        "left": [{"caption": pk, "reason": why} for pk, why in done.left],
    }


def _answer(done: Outcome) -> Response:
    return Response(_plain(done))
