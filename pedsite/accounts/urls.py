app_name = "accounts"
urlpatterns = []
api_urlpatterns = []
