app_name = "training"
urlpatterns = []
api_urlpatterns = []
