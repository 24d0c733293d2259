"""Generations for programs: what is enrolled, the gate, the switch, the way back, comparisons."""

from dataclasses import asdict
from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from search import comparisons, engines, gates, generations, tuning
from search.models import IndexTuning, QueryKind
from training import versions


class Jobs(serializers.Serializer):
    jobs = serializers.ListField(child=serializers.IntegerField())

    class Meta:
        ref_name = "QueuedJobs"


class Serving(serializers.Serializer):
    version = serializers.CharField(source="version.name")
    query_kind = serializers.CharField()
    since = serializers.DateTimeField(source="set_at")

    class Meta:
        ref_name = "Serving"


class GenerationListApi(APIView):
    """GET every version with what it covers; operators only."""

    class Output(serializers.Serializer):
        class Index(serializers.Serializer):
            """The vector index, and how it was measured to be walked."""

            rows = serializers.IntegerField()
            complete = serializers.BooleanField()
            measured_at = serializers.DateTimeField(allow_null=True)
            exact_ms = serializers.FloatField(allow_null=True)
            curve = serializers.ListField(child=serializers.DictField())
            ef_fast = serializers.IntegerField(allow_null=True)
            ef_thorough = serializers.IntegerField(allow_null=True)

            class Meta:
                ref_name = "VectorIndex"

        version = serializers.CharField(source="version.name")
        state = serializers.ChoiceField(choices=generations.State.values)
        serves = serializers.ListField(child=serializers.CharField())
        boxes = serializers.IntegerField()
        enrolled = serializers.IntegerField(source="counts.searched")
        waiting = serializers.IntegerField(source="counts.gaps.waiting")
        failed = serializers.IntegerField(source="counts.gaps.failed")
        jobs = serializers.SerializerMethodField()
        index = serializers.SerializerMethodField()

        class Meta:
            ref_name = "Generation"

        def get_jobs(self, generation: generations.Generation) -> list[int]:
            return [job.pk for job in generation.work]

        @extend_schema(responses=Index)
        def get_index(self, generation: generations.Generation) -> dict[str, Any] | None:
            encoder = generation.version.image_encoder
            built = engines.current().look(encoder)
            if built is None:
                return None
            measured = tuning.newest(encoder)
            return {"rows": built.rows, "complete": built.all_covered} | _measured(measured)

    @extend_schema(operation_id="generations", responses=Output(many=True))
    def get(self, request: Request) -> Response:
        generations.check_user(request.user)
        return Response(self.Output(generations.each(), many=True).data)


class GateApi(APIView):
    """GET what has to hold before a version takes over."""

    class Output(serializers.Serializer):
        title = serializers.CharField()
        result = serializers.ChoiceField(choices=gates.Result.values)
        detail = serializers.CharField()
        may_be_confirmed = serializers.BooleanField()

        class Meta:
            ref_name = "GateCheck"

    @extend_schema(operation_id="gate", responses=Output(many=True))
    def get(self, request: Request, name: str) -> Response:
        generations.check_user(request.user)
        return Response(self.Output(generations.gate(versions.get(name)), many=True).data)


class EnrollApi(APIView):
    key_scope = {"POST": "operate"}

    @extend_schema(operation_id="generation_enroll", request=None, responses={202: Jobs})
    def post(self, request: Request, name: str) -> Response:
        """Embed every box with this version, beside the one that serves."""
        jobs = generations.enroll(versions.get(name), request.user)
        return Response({"jobs": [job.pk for job in jobs]}, status=202)


class SwitchApi(APIView):
    key_scope = {"POST": "operate"}

    class Input(serializers.Serializer):
        query_kinds = serializers.MultipleChoiceField(
            choices=QueryKind.choices, default=(), help_text="All that it can answer, if none."
        )
        confirmed = serializers.BooleanField(
            default=False, help_text="Switch although a check of the gate did not pass."
        )

        class Meta:
            ref_name = "Switch"

    @extend_schema(operation_id="switch", request=Input, responses=Serving(many=True))
    def post(self, request: Request, name: str) -> Response:
        """Let this version answer, in one transaction."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        rows = generations.switch(
            versions.get(name),
            request.user,
            query_kinds=sorted(wanted["query_kinds"]),
            confirmed=wanted["confirmed"],
        )
        return Response(Serving(rows, many=True).data)


class RollBackApi(APIView):
    key_scope = {"POST": "operate"}

    @extend_schema(operation_id="roll_back", request=None, responses=Serving(many=True))
    def post(self, request: Request, name: str) -> Response:
        """Let what answered before this version answer again, at once."""
        rows = generations.roll_back(versions.get(name), request.user)
        return Response(Serving(rows, many=True).data)


class DeleteApi(APIView):
    key_scope = {"POST": "operate"}

    @extend_schema(operation_id="generation_delete", request=None, responses={202: Jobs})
    def post(self, request: Request, name: str) -> Response:
        """Delete the vectors of a version that does not serve."""
        job = generations.request_deletion(versions.get(name), request.user)
        return Response({"jobs": [job.pk]}, status=202)


class CompareApi(APIView):
    key_scope = {"POST": "operate"}

    class Input(serializers.Serializer):
        old = serializers.CharField()
        new = serializers.CharField()
        texts = serializers.ListField(
            child=serializers.CharField(),
            default=list,
            max_length=comparisons.MOST,
            help_text="What to ask; captions of the gallery, if there are none.",
        )

        class Meta:
            ref_name = "Compare"

    class Output(serializers.Serializer):
        id = serializers.IntegerField(source="pk")
        job = serializers.IntegerField(source="job_id")

        class Meta:
            ref_name = "Comparing"

    @extend_schema(operation_id="compare", request=Input, responses={202: Output})
    def post(self, request: Request) -> Response:
        """Have two versions answer the same questions."""
        given = self.Input(data=request.data)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        made = comparisons.request(
            versions.get(wanted["old"]), versions.get(wanted["new"]), wanted["texts"], request.user
        )
        return Response(self.Output(made).data, status=202)


class ComparisonApi(APIView):
    class Output(serializers.Serializer):
        old = serializers.CharField()
        new = serializers.CharField()
        state = serializers.CharField(help_text="Of its job.")
        overlap = serializers.FloatField(help_text="Share of the first ten hits that stayed.")
        overlap_interval = serializers.ListField(child=serializers.FloatField(), allow_null=True)
        moved = serializers.FloatField(help_text="Places that a hit moved, mean.")
        first = serializers.DictField(allow_null=True, help_text="Share of right first hits.")
        reciprocal = serializers.DictField(allow_null=True, help_text="Mean of 1 / rank.")
        preferred = serializers.DictField(allow_null=True, help_text="As people judged.")
        changes = serializers.ListField(child=serializers.DictField())

        class Meta:
            ref_name = "Comparison"

    @extend_schema(operation_id="comparison", responses=Output)
    def get(self, request: Request, comparison_id: int) -> Response:
        """What changed between two versions, each interval paired by question."""
        generations.check_user(request.user)
        found = comparisons.visible_to(request.user).filter(pk=comparison_id).first()
        if found is None:
            raise Http404
        about = {"old": found.old.name, "new": found.new.name, "state": found.job.state}
        return Response(self.Output(about | asdict(comparisons.report(found))).data)


def _measured(found: IndexTuning | None) -> dict[str, Any]:
    names = ("measured_at", "exact_ms", "ef_fast", "ef_thorough")
    values = {name: getattr(found, name, None) for name in names}
    return values | {"curve": found.curve if found else []}
