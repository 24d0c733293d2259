app_name = "jobs"
urlpatterns = []
api_urlpatterns = []
