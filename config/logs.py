"""What a line in the log says, and what is not worth one."""

import logging
import re
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from generator import trail

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")


class NotReadyIsAnAnswer(logging.Filter):
    """Keeps the 503 of /readyz out of the log: it is asked every few seconds, and says itself what is missing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be written."""
        request = getattr(record, "request", None)
        return getattr(request, "path", "") != "/readyz"


class Discreet(logging.Formatter):
    """Writes no addresses of people, which exceptions of mail servers and databases repeat."""

    def format(self, record: logging.LogRecord) -> str:
        """The finished line, exception included."""
        return ADDRESS.sub("…@…", super().format(record))


class Line(Discreet):
    """For people at a terminal."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")


class Json(Discreet, JsonFormatter):
    """One JSON object a line: time, level, logger, message, its request and job, whatever was added."""

    def __init__(self) -> None:
        # Django adds the whole request to lines about it, Celery the whole task: neither is a fact for a log.
        JsonFormatter.__init__(self, reserved_attrs=[*RESERVED_ATTRS, "request", "data"], json_ensure_ascii=False)

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """In the order they are read in."""
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data.update(level=record.levelname, logger=record.name, message=record.getMessage())
        super().add_fields(log_data, record, message_dict)
        for name, current in (("request_id", trail.current_request), ("job_id", trail.current_job)):
            if value := log_data.get(name) or current():
                log_data[name] = value
