"""A client of the API of a pedsite, typed, of the standard library alone.

    from pedsite.client import Client
    site = Client("https://people.example", "ped_…")
    for hit in site.search(text="a woman in a red coat")["hits"]:
        print(hit["rank"], hit["score"], hit["crop_url"])

Every operation of the API is a method with the name that /api/docs/ gives it. What takes several
calls (whole lists, uploads, waiting for a job) is in `Client` itself. The same on the command line:
`python -m pedsite.client --help`.
"""

from pedsite.client.client import Client, JobFailed
from pedsite.client.transport import Problem, Unreachable

__all__ = ["Client", "JobFailed", "Problem", "Unreachable"]
