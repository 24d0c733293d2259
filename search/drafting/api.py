"""Drafts for programs."""

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gallery.errors import UnknownDataset
from gallery.models import Dataset
from pedsite.accounts.roles import Curates
from pedsite.jobs.api import JobOutput
from search.drafting import drafts
from search.drafting.drafts import LARGEST_SEED, LEAST_CERTAINTY, Wish
from search.drafting.reading import CERTAINTY
from training import versions
from training.drawn import LANGUAGES


class DraftsApi(APIView):
    """POST to have captions drafted for the boxes of a dataset that lack one."""

    permission_classes = [IsAuthenticated, Curates]

    class Input(serializers.Serializer):
        dataset = serializers.CharField(max_length=100)
        languages = serializers.ListField(
            child=serializers.ChoiceField(LANGUAGES),
            default=list(LANGUAGES),
            min_length=1,
            max_length=len(LANGUAGES),
        )
        model = serializers.CharField(
            required=False, max_length=100, help_text="A version; the one that serves if none."
        )
        seed = serializers.IntegerField(
            default=0, min_value=0, max_value=LARGEST_SEED, help_text="Another one words anew."
        )
        certainty = serializers.FloatField(
            default=CERTAINTY,
            min_value=LEAST_CERTAINTY,
            max_value=1,
            help_text="Say only what is so probable; below 1.",
        )
        again = serializers.BooleanField(
            default=False, help_text="Write drafts anew that nobody looked at."
        )

        class Meta:
            ref_name = "DraftCaptions"

    @extend_schema(
        operation_id="draft_captions",
        request=Input,
        responses={202: JobOutput},
        examples=[
            OpenApiExample(
                "both languages",
                value={"dataset": "mall", "languages": ["en", "zh"]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Drafts are marked as such until somebody approves them; what people wrote stays."""
        data = self.Input(data=request.data)
        data.is_valid(raise_exception=True)
        given = data.validated_data
        dataset = Dataset.objects.visible_to(request.user).filter(name=given["dataset"]).first()
        if dataset is None:
            raise UnknownDataset(given["dataset"])
        wish = Wish(
            languages=given["languages"],
            version=versions.get(given["model"]) if "model" in given else None,
            seed=given["seed"],
            certainty=given["certainty"],
            again=given["again"],
        )
        job = drafts.request(dataset, wish, request.user)
        output = JobOutput(job, context={"request": request}).data
        return Response(output, status=202, headers={"Location": output["url"]})
