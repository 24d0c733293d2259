"""Jobs for programs: list, one, its failures, cancel, retry."""

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pedsite.api import Pages
from pedsite.jobs import work
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


def _visible(request: Request, job_id: int) -> Job:
    job = Job.objects.visible_to(request.user).filter(pk=job_id).first()
    if job is None:
        raise Http404
    return job


def _answer(job: Job, request: Request, code: int = status.HTTP_200_OK) -> Response:
    return Response(JobOutput(job, context={"request": request}).data, status=code)
