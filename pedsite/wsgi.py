"""What a WSGI server loads: `pedsite.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

from pedsite import env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pedsite.settings")
env.load_file()
application = get_wsgi_application()
