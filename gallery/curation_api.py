"""Curation for programs: pictures and boxes, and what its other operations share."""

from typing import Any

from django.db.models import Count, QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import browse, curation, splits
from gallery.api import BoxApi
from gallery.browse import NO_SPLIT, Wanted
from gallery.errors import UnknownBox, UnknownDataset, UnknownImage
from gallery.formats.records import MAX_KEY
from gallery.models import Box, Dataset, Image, Review
from pedsite.accounts.roles import Curates
from pedsite.api import Pages

# Ids and pixels beyond are refused before the database is asked.
LARGEST = 2**62
MOST_PIXELS = 2**31 - 1
MOST_IDS = 1000
PAGING = [OpenApiParameter("cursor"), OpenApiParameter("limit", int)]
READS = ("GET", "HEAD", "OPTIONS")


class CuratesToWrite(Curates):
    """Anyone reads what is shared with them; curators and those above them change it."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.method in READS or super().has_permission(request, view)


class CuratedApi(APIView):
    permission_classes = [IsAuthenticated, CuratesToWrite]


class CuratorsApi(APIView):
    permission_classes = [IsAuthenticated, Curates]


def dataset_of(request: Request, name: str) -> Dataset:
    found = Dataset.objects.visible_to(request.user).filter(name=name).first()
    if found is None:
        raise UnknownDataset(name)
    return found


def given_as(kind: type[serializers.Serializer], data: Any) -> dict[str, Any]:
    read = kind(data=data)
    read.is_valid(raise_exception=True)
    return read.validated_data


def paged(view: APIView, rows: QuerySet, output: type, request: Request) -> Response:
    """A page of rows, newest first."""
    pages = Pages()
    page = pages.paginate_queryset(rows, request, view=view)
    written = output(page, many=True, context={"request": request})
    return pages.get_paginated_response(written.data)


class Ids(serializers.ListField):
    child = serializers.IntegerField(min_value=1, max_value=LARGEST)


class Bounds(serializers.ListField):
    child = serializers.IntegerField(min_value=0, max_value=MOST_PIXELS)

    def __init__(self, **kwargs: Any) -> None:
        text = "Left, top, right, bottom in pixels of the upright image; the last two exclusive."
        super().__init__(min_length=4, max_length=4, help_text=text, **kwargs)


class OutcomeOutput(serializers.Serializer):
    """What a bulk did; `left` are the boxes that stay as they are, and why."""

    class Left(serializers.Serializer):
        box = serializers.IntegerField(source="row")
        reason = serializers.CharField()

        class Meta:
            ref_name = "BoxLeft"

    changed = serializers.IntegerField()
    actions = serializers.ListField(
        child=serializers.IntegerField(), help_text="One in each dataset, to be undone."
    )
    left = Left(many=True)

    class Meta:
        ref_name = "CurationOutcome"


def _outcome(done: curation.Outcome) -> Response:
    told = {
        "changed": done.changed,
        "actions": [action.pk for action in done.actions],
        "left": done.left,
    }
    return Response(OutcomeOutput(told).data)


class ImageOutput(serializers.ModelSerializer):
    dataset = serializers.CharField(source="dataset.name")
    camera = serializers.CharField(source="camera.name", default=None, allow_null=True)
    boxes = serializers.IntegerField(source="box_count")
    url = serializers.HyperlinkedIdentityField(
        view_name="gallery:frame", lookup_url_kwarg="image_id"
    )

    class Meta:
        ref_name = "Image"
        model = Image
        fields = ["id", "dataset", "name", "width", "height", "camera", "taken_at", "boxes", "url"]


class ImageListApi(APIView):
    """GET pictures of the datasets that you may see, newest first."""

    class Input(serializers.Serializer):
        dataset = serializers.CharField(max_length=100, required=False)
        camera = serializers.CharField(max_length=200, required=False)

    @extend_schema(
        operation_id="images", parameters=[Input, *PAGING], responses=ImageOutput(many=True)
    )
    def get(self, request: Request) -> Response:
        wanted = given_as(self.Input, request.query_params)
        rows = _images(request)
        if "dataset" in wanted:
            rows = rows.filter(dataset=dataset_of(request, wanted["dataset"]))
        if "camera" in wanted:
            rows = rows.filter(camera__name=wanted["camera"])
        return paged(self, rows, ImageOutput, request)


class ImageApi(APIView):
    """GET one picture with its boxes, hidden ones too."""

    class Output(ImageOutput):
        class Line(serializers.ModelSerializer):
            bbox = serializers.ListField(child=serializers.IntegerField(), source="bounds")
            identity = serializers.CharField(source="identity.key", default=None, allow_null=True)

            class Meta:
                ref_name = "ImageBox"
                model = Box
                fields = ["id", "bbox", "source", "score", "review", "identity"]

        boxes = Line(many=True)

        class Meta(ImageOutput.Meta):
            ref_name = "ImageWithBoxes"

    @extend_schema(operation_id="image", responses=Output)
    def get(self, request: Request, image_id: int) -> Response:
        found = _images(request).prefetch_related("boxes__identity").filter(pk=image_id).first()
        if found is None:
            raise UnknownImage(image_id)
        return Response(self.Output(found, context={"request": request}).data)


def _images(request: Request) -> QuerySet[Image]:
    rows = Image.objects.visible_to(request.user).select_related("dataset", "camera")
    return rows.annotate(box_count=Count("boxes"))


class BoxListApi(CuratedApi):
    """GET boxes that you may see, by the filters of a dataset's page; POST draws one."""

    class Input(serializers.Serializer):
        dataset = serializers.CharField(max_length=100, required=False)
        review = serializers.ChoiceField([*Review.values, "any"], required=False)
        source = serializers.ChoiceField(Box.Source.choices, required=False)
        camera = serializers.CharField(max_length=200, required=False)
        identity = serializers.ChoiceField(["known", "unknown"], required=False)
        split = serializers.ChoiceField([*splits.NAMES, NO_SPLIT], required=False)
        words = serializers.CharField(
            max_length=200, required=False, help_text="That some caption has, whole words."
        )
        least = serializers.IntegerField(
            min_value=0, max_value=MOST_PIXELS, required=False, help_text="Height, pixels."
        )
        most = serializers.IntegerField(min_value=0, max_value=MOST_PIXELS, required=False)

    class Draw(serializers.Serializer):
        image = serializers.IntegerField(min_value=1, max_value=LARGEST)
        bbox = Bounds()

        class Meta:
            ref_name = "BoxDraw"

    @extend_schema(
        operation_id="boxes", parameters=[Input, *PAGING], responses=BoxApi.Output(many=True)
    )
    def get(self, request: Request) -> Response:
        wanted = dict(given_as(self.Input, request.query_params))
        name = wanted.pop("dataset", None)
        dataset = None if name is None else dataset_of(request, name)
        rows = browse.boxes(request.user, Wanted(**wanted), dataset)
        rows = rows.with_context().prefetch_related("captions")
        return paged(self, rows, BoxApi.Output, request)

    @extend_schema(
        operation_id="box_draw",
        request=Draw,
        responses={201: BoxApi.Output},
        examples=[
            OpenApiExample(
                "Around somebody",
                request_only=True,
                value={"image": 17, "bbox": [120, 64, 210, 300]},
            )
        ],
    )
    def post(self, request: Request) -> Response:
        given = given_as(self.Draw, request.data)
        box, _action = curation.draw(given["image"], tuple(given["bbox"]), request.user)
        return box_answer(request, box.pk, status.HTTP_201_CREATED)


class BoxEditApi(BoxApi):
    """GET one box; PATCH its bounds, its review or who it is; DELETE it with its captions."""

    permission_classes = [IsAuthenticated, CuratesToWrite]

    class Input(serializers.Serializer):
        bbox = Bounds(required=False)
        review = serializers.ChoiceField(Review.choices, required=False)
        identity = serializers.CharField(
            max_length=MAX_KEY,
            required=False,
            allow_null=True,
            help_text="The key of a person, new or known; null for nobody known.",
        )

        class Meta:
            ref_name = "BoxEdit"

    @extend_schema(
        operation_id="box_edit",
        request=Input,
        responses=BoxApi.Output,
        examples=[
            OpenApiExample("Moved", request_only=True, value={"bbox": [118, 60, 214, 304]}),
            OpenApiExample("Named", request_only=True, value={"identity": "0017"}),
        ],
    )
    def patch(self, request: Request, box_id: int) -> Response:
        given = given_as(self.Input, request.data)
        if "bbox" in given:
            curation.move(box_id, tuple(given["bbox"]), request.user)
        if "review" in given:
            curation.review([box_id], given["review"], request.user)
        if "identity" in given:
            curation.assign([box_id], given["identity"] or "", request.user)
        return box_answer(request, box_id)

    @extend_schema(operation_id="box_delete", responses={204: None})
    def delete(self, request: Request, box_id: int) -> Response:
        done = curation.delete([box_id], request.user)
        if done.left:
            raise curation.Kept(done.left[0].reason)
        return Response(status=status.HTTP_204_NO_CONTENT)


def box_answer(request: Request, pk: int, code: int = status.HTTP_200_OK) -> Response:
    rows = Box.objects.visible_to(request.user).with_context().prefetch_related("captions")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise UnknownBox(pk)
    return Response(BoxApi.Output(found, context={"request": request}).data, status=code)


class BoxesBulkApi(CuratorsApi):
    """POST one action on many boxes, which is undone as one: review, assign or delete."""

    class Input(serializers.Serializer):
        boxes = Ids(min_length=1, max_length=MOST_IDS)
        review = serializers.ChoiceField(Review.choices, required=False)
        identity = serializers.CharField(max_length=MAX_KEY, required=False, allow_null=True)
        delete = serializers.BooleanField(required=False, default=False)

        class Meta:
            ref_name = "BoxesChange"

        def validate(self, given: dict[str, Any]) -> dict[str, Any]:
            asked = ("review" in given) + ("identity" in given) + given["delete"]
            if asked != 1:
                raise serializers.ValidationError("Give one of review, identity and delete.")
            return given

    @extend_schema(
        operation_id="boxes_change",
        request=Input,
        responses=OutcomeOutput,
        examples=[
            OpenApiExample(
                "Two are hidden", request_only=True, value={"boxes": [17, 18], "review": "hidden"}
            )
        ],
    )
    def post(self, request: Request) -> Response:
        given = given_as(self.Input, request.data)
        if given["delete"]:
            return _outcome(curation.delete(given["boxes"], request.user))
        if "review" in given:
            return _outcome(curation.review(given["boxes"], given["review"], request.user))
        return _outcome(curation.assign(given["boxes"], given["identity"] or "", request.user))
