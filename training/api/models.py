"""Models for programs: which versions a search may name."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pedsite.api import Pages
from training.models import Encoder, ModelVersion


class ModelListApi(APIView):
    """GET the model versions, newest first."""

    class Output(serializers.ModelSerializer):
        class TowerOutput(serializers.ModelSerializer):
            class Meta:
                ref_name = "Tower"
                model = Encoder
                fields = ["id", "sha256", "byte_size", "preprocessing"]

        space = serializers.CharField(source="space.name")
        dim = serializers.IntegerField()
        image = TowerOutput(source="image_encoder")
        text = TowerOutput(source="text_encoder", allow_null=True)

        class Meta:
            ref_name = "Model"
            model = ModelVersion
            fields = [
                "id",
                "name",
                "space",
                "dim",
                "image",
                "text",
                "licence",
                "notes",
                "metrics",
                "created_at",
            ]

    @extend_schema(
        operation_id="models",
        parameters=[OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=Output(many=True),
    )
    def get(self, request: Request) -> Response:
        pages = Pages()
        found = ModelVersion.objects.with_towers()
        page = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(self.Output(page, many=True).data)
