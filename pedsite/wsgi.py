"""What a WSGI server loads: `pedsite.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application
from threadpoolctl import threadpool_limits

from pedsite import env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pedsite.settings")
env.load_file()
application = get_wsgi_application()
# A search multiplies small matrices. Threads of OpenBLAS that spin until the next one take the
# cores from Postgres and from other searches: with them one takes half as long again.
threadpool_limits(1, user_api="blas")
