"""What the log holds: one line for a refusal, and with LOG_FORMAT=json one JSON object a line."""

import json
import logging
from datetime import UTC, datetime

# What every LogRecord carries; anything else was passed as `extra` and is kept.
PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request", "taskName"}


def without_refusals_traceback(record: logging.LogRecord) -> bool:
    """Takes the traceback off what was refused (4xx): its status and path say all there is."""
    if 400 <= getattr(record, "status_code", 0) < 500:
        record.exc_info = record.exc_text = None
    return True


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        entry |= {name: value for name, value in vars(record).items() if name not in PLAIN}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False, default=str)
