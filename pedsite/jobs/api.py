"""Jobs for programs: list, one, its failures, cancel, retry; and their queues."""

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pedsite.accounts.roles import Operates
from pedsite.api import Pages
from pedsite.jobs import queues, work
from pedsite.jobs.models import Job, JobFailure


class JobOutput(serializers.ModelSerializer):
    """How every operation here shows a job."""

    rate = serializers.FloatField(allow_null=True, help_text="Items a second.")
    eta = serializers.FloatField(allow_null=True, help_text="Seconds left.")
    queue_position = serializers.IntegerField(allow_null=True)
    url = serializers.HyperlinkedIdentityField(view_name="api:job", lookup_url_kwarg="job_id")

    class Meta:
        model = Job
        fields = [
            "id",
            "url",
            "kind",
            "queue",
            "state",
            "params",
            "total",
            "done",
            "failed",
            "rate",
            "eta",
            "queue_position",
            "note",
            "error",
            "result",
            "retry_of",
            "created_at",
            "started_at",
            "finished_at",
        ]


class JobListApi(APIView):
    """GET the jobs that you may see, newest first."""

    class Input(serializers.Serializer):
        state = serializers.ChoiceField(Job.State.choices, required=False)
        kind = serializers.CharField(required=False, max_length=40)

    @extend_schema(
        operation_id="jobs",
        summary="Jobs that you may see, newest first",
        parameters=[Input, OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=JobOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        wanted = self.Input(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        jobs = Job.objects.visible_to(request.user).filter(**wanted.validated_data)
        pages = Pages()
        page = pages.paginate_queryset(jobs, request, view=self)
        output = JobOutput(page, many=True, context={"request": request})
        return pages.get_paginated_response(output.data)


class JobApi(APIView):
    """GET one job: its state and how far it is."""

    @extend_schema(operation_id="job", summary="One job and how far it is", responses=JobOutput)
    def get(self, request: Request, job_id: int) -> Response:
        return _answer(_visible(request, job_id), request)


class JobFailuresApi(APIView):
    """GET the items that a job could not do, each with its reason."""

    class Output(serializers.ModelSerializer):
        class Meta:
            ref_name = "JobFailure"
            model = JobFailure
            fields = ["id", "item", "reason", "created_at"]

    @extend_schema(
        operation_id="job_failures",
        summary="Items that a job could not do, and why",
        parameters=[OpenApiParameter("cursor"), OpenApiParameter("limit", int)],
        responses=Output(many=True),
    )
    def get(self, request: Request, job_id: int) -> Response:
        pages = Pages()
        rows = _visible(request, job_id).failures.all()
        page = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(self.Output(page, many=True).data)


class JobCancelApi(APIView):
    """POST to end a job after the chunk at hand; 409 if it is over."""

    @extend_schema(
        operation_id="job_cancel", summary="End a job", request=None, responses=JobOutput
    )
    def post(self, request: Request, job_id: int) -> Response:
        return _answer(work.cancel(_visible(request, job_id)), request)


class JobRetryApi(APIView):
    """POST to queue a new job for the failed items only; 409 if none failed."""

    @extend_schema(
        operation_id="job_retry",
        summary="Do the failed items again",
        request=None,
        responses={202: JobOutput},
    )
    def post(self, request: Request, job_id: int) -> Response:
        again = work.retry_failed(_visible(request, job_id), request.user)
        return _answer(again, request, status.HTTP_202_ACCEPTED)


class QueueOutput(serializers.Serializer):
    """A queue, and whether it is paused."""

    name = serializers.CharField()
    running = serializers.IntegerField(help_text="Jobs that a worker is at.")
    waiting = serializers.IntegerField()
    paused = serializers.SerializerMethodField()
    since = serializers.DateTimeField(source="pause.since", default=None, allow_null=True)
    reason = serializers.CharField(source="pause.reason", default="")

    class Meta:
        ref_name = "Queue"

    def get_paused(self, standing: queues.Standing) -> bool:
        return standing.pause is not None


QUEUES = [
    {
        "name": "enroll",
        "running": 0,
        "waiting": 3,
        "paused": True,
        "since": "2026-03-14T09:30:00Z",
        "reason": "until the disk is exchanged",
    }
]


class QueueListApi(APIView):
    """GET every queue."""

    permission_classes = [IsAuthenticated, Operates]

    @extend_schema(
        operation_id="queues",
        summary="Queues: what runs, what waits, and which are paused",
        responses=QueueOutput(many=True),
        examples=[OpenApiExample("One is paused", response_only=True, value=QUEUES[0])],
    )
    def get(self, request: Request) -> Response:
        return _queues()


class QueueChange(APIView):
    key_scope = "operate"
    permission_classes = [IsAuthenticated, Operates]


class QueuePauseApi(QueueChange):
    """POST to begin no job of a queue; those at work are given back after the chunk at hand."""

    class Input(serializers.Serializer):
        reason = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)

        class Meta:
            ref_name = "PauseQueue"

    @extend_schema(
        operation_id="queue_pause",
        summary="Pause a queue",
        request=Input,
        responses=QueueOutput(many=True),
        examples=[
            OpenApiExample("Why", request_only=True, value={"reason": QUEUES[0]["reason"]}),
            OpenApiExample("Paused", response_only=True, value=QUEUES[0]),
        ],
    )
    def post(self, request: Request, name: str) -> Response:
        data = self.Input(data=request.data)
        data.is_valid(raise_exception=True)
        queues.pause(name, request.user, data.validated_data["reason"])
        return _queues()


class QueueResumeApi(QueueChange):
    """POST to go on with a queue."""

    @extend_schema(
        operation_id="queue_resume",
        summary="Resume a queue",
        request=None,
        responses=QueueOutput(many=True),
        examples=[OpenApiExample("Still paused", response_only=True, value=QUEUES[0])],
    )
    def post(self, request: Request, name: str) -> Response:
        queues.resume(name)
        return _queues()


class QueuesResumeApi(QueueChange):
    """POST to go on with every paused queue."""

    @extend_schema(
        operation_id="queues_resume",
        summary="Resume all queues",
        request=None,
        responses=QueueOutput(many=True),
        examples=[
            OpenApiExample(
                "None is paused",
                response_only=True,
                value={**QUEUES[0], "paused": False, "since": None, "reason": ""},
            )
        ],
    )
    def post(self, request: Request) -> Response:
        queues.resume_all()
        return _queues()


def _queues() -> Response:
    return Response(QueueOutput(queues.standings(), many=True).data)


def _visible(request: Request, job_id: int) -> Job:
    job = Job.objects.visible_to(request.user).filter(pk=job_id).first()
    if job is None:
        raise Http404
    return job


def _answer(job: Job, request: Request, code: int = status.HTTP_200_OK) -> Response:
    return Response(JobOutput(job, context={"request": request}).data, status=code)
