app_name = "generator"
urlpatterns = []
