"""What is not worth a line in the log."""

import logging


class NotReadyIsAnAnswer(logging.Filter):
    """Keeps the 503 of /readyz out of the log: it is asked every few seconds, and says itself what is missing."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be written."""
        request = getattr(record, "request", None)
        return getattr(request, "path", "") != "/readyz"
