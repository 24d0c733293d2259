"""The gallery for programs: datasets and boxes, those that the caller may see."""

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery.errors import UnknownBox
from gallery.models import Box, Caption, Dataset, Image
from pedsite.api import Pages
from pedsite.audit.journal import opened


class DatasetListApi(APIView):
    """GET the datasets that you may see, newest first, with how much is in each."""

    class Output(serializers.ModelSerializer):
        images = serializers.IntegerField(source="image_count")
        boxes = serializers.IntegerField(source="box_count")
        identities = serializers.IntegerField(source="identity_count")
        cameras = serializers.SlugRelatedField("name", many=True, read_only=True)
        page_url = serializers.SerializerMethodField()

        class Meta:
            ref_name = "Dataset"
            model = Dataset
            fields = [
                "name",
                "title",
                "kind",
                "licence",
                "source",
                "images",
                "boxes",
                "identities",
                "cameras",
                "created_at",
                "page_url",
            ]

        def get_page_url(self, dataset: Dataset) -> str:
            return _absolute(self, "gallery:dataset", dataset.name)

    @extend_schema(
        operation_id="datasets",
        parameters=[OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=Output(many=True),
    )
    def get(self, request: Request) -> Response:
        rows = Dataset.objects.visible_to(request.user).with_counts().prefetch_related("cameras")
        pages = Pages()
        page = pages.paginate_queryset(rows, request, view=self)
        output = self.Output(page, many=True, context={"request": request})
        return pages.get_paginated_response(output.data)


class BoxApi(APIView):
    """GET one box with its image, person and captions; 404 where it is not shared with you."""

    class Output(serializers.ModelSerializer):
        class OfImage(serializers.ModelSerializer):
            camera = serializers.CharField(source="camera.name", default=None, allow_null=True)
            url = serializers.SerializerMethodField(help_text="JPEG; ?w= bounds its width.")

            class Meta:
                model = Image
                fields = ["id", "name", "width", "height", "camera", "taken_at", "url"]
                ref_name = "BoxImage"

            def get_url(self, image: Image) -> str:
                return _absolute(self, "gallery:frame", image.pk)

        class OfCaption(serializers.ModelSerializer):
            class Meta:
                model = Caption
                fields = ["kind", "language", "text", "source", "review"]
                ref_name = "BoxCaption"

        bbox = serializers.ListField(
            child=serializers.IntegerField(),
            source="bounds",
            help_text="Left, top, right, bottom in pixels of the upright image; the last two "
            "are exclusive.",
        )
        dataset = serializers.CharField(source="image.dataset.name")
        identity = serializers.CharField(source="identity.key", default=None, allow_null=True)
        split = serializers.CharField(source="identity.split", default="")
        image = OfImage()
        captions = OfCaption(many=True)
        url = serializers.SerializerMethodField(help_text="JPEG; ?h= bounds its height.")

        class Meta:
            ref_name = "Box"
            model = Box
            fields = [
                "id",
                "bbox",
                "source",
                "score",
                "review",
                "dataset",
                "identity",
                "split",
                "image",
                "captions",
                "url",
            ]

        def get_url(self, box: Box) -> str:
            return _absolute(self, "gallery:crop", box.pk)

    @extend_schema(operation_id="box", responses=Output)
    def get(self, request: Request, box_id: int) -> Response:
        rows = Box.objects.visible_to(request.user).with_context().prefetch_related("captions")
        box = rows.filter(pk=box_id).first()
        if box is None:
            raise UnknownBox(box_id)
        opened(request.user, f"box {box.pk}")
        return Response(self.Output(box, context={"request": request}).data)


def _absolute(serializer: serializers.BaseSerializer, name: str, *args: Any) -> str:
    return serializer.context["request"].build_absolute_uri(reverse(name, args=args))
