app_name = "gallery"
urlpatterns = []
api_urlpatterns = []
