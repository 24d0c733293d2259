from django.urls import path

from pedsite.jobs import api, views

app_name = "jobs"
urlpatterns = [
    path("jobs/", views.job_list, name="list"),
    path("jobs/queues/pause/", views.queue_pause, name="queue-pause"),
    path("jobs/queues/resume/", views.queue_resume, name="queue-resume"),
    path("jobs/<int:job_id>/", views.job_detail, name="detail"),
    path("jobs/<int:job_id>/card/", views.job_card, name="card"),
    path("jobs/<int:job_id>/cancel/", views.job_cancel, name="cancel"),
    path("jobs/<int:job_id>/retry/", views.job_retry, name="retry"),
]
api_urlpatterns = [
    path("jobs", api.JobListApi.as_view(), name="jobs"),
    path("queues", api.QueueListApi.as_view(), name="queues"),
    path("queues/resume", api.QueuesResumeApi.as_view(), name="queues-resume"),
    path("queues/<str:name>/pause", api.QueuePauseApi.as_view(), name="queue-pause"),
    path("queues/<str:name>/resume", api.QueueResumeApi.as_view(), name="queue-resume"),
    path("jobs/<int:job_id>", api.JobApi.as_view(), name="job"),
    path("jobs/<int:job_id>/failures", api.JobFailuresApi.as_view(), name="job-failures"),
    path("jobs/<int:job_id>/cancel", api.JobCancelApi.as_view(), name="job-cancel"),
    path("jobs/<int:job_id>/retry", api.JobRetryApi.as_view(), name="job-retry"),
]
