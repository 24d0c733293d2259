"""What vectors say of a person, for programs."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery import people
from pedsite.audit.journal import opened
from search import admission, likeness


class LikenessApi(APIView):
    """GET who might be the same person, and which of their boxes look unlike the rest."""

    throttle_scope = "search"

    class Output(serializers.Serializer):
        class Own(serializers.Serializer):
            box = serializers.IntegerField(source="box.pk")
            likeness = serializers.FloatField(
                allow_null=True, help_text="Cosine with the others' mean; null without a vector."
            )
            is_odd = serializers.BooleanField()

            class Meta:
                ref_name = "PersonSighting"

        class Other(serializers.Serializer):
            box = serializers.IntegerField(source="box.pk")
            identity = serializers.IntegerField(source="box.identity_id", allow_null=True)
            key = serializers.CharField(source="box.identity.key", default=None, allow_null=True)
            likeness = serializers.FloatField()

            class Meta:
                ref_name = "PersonSuggestion"

        version = serializers.CharField()
        boxes = Own(many=True, source="sightings", help_text="The odd ones first.")
        alike = Other(many=True, help_text="Others of the dataset, the nearest first.")

        class Meta:
            ref_name = "PersonLikeness"

    @extend_schema(operation_id="identity_likeness", responses=Output)
    def get(self, request: Request, identity_id: int) -> Response:
        found = people.get(identity_id, request.user)
        opened(request.user, f"identity {identity_id}")
        with admission.slot():
            return Response(self.Output(likeness.look(found, request.user)).data)
