"""The studio at the other end: its REST API, asked patiently and safely.

Everything asked for here may be asked again: reads, cancelling, and what makes something by its Idempotency-Key. So an
answer that was lost, a server that restarts and a rate limit are waited out, and nothing is made twice.
"""

import json
import time
from collections.abc import Callable
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx

from atelier_cli.account import Account
from atelier_cli.told import UNREACHABLE, Problem, Told

PAUSES = (0.5, 1, 2, 4)  # seconds between tries
LONGEST = 90  # seconds that a studio may ask to wait
AGAIN = frozenset({429, 502, 503, 504})
ENDS = frozenset({"job.done", "job.failed", "job.cancelled"})
QUIET = 35  # seconds without a word on an open job: the studio says where it stands every ten
Event = dict[str, Any]
Found = TypeVar("Found")


class Studio:
    """One studio, as the person whose key it is. `tell` hears why it takes longer; `sleep` waits."""

    def __init__(
        self,
        account: Account,
        tell: Callable[[str], None] = lambda _sentence: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = account.url
        self.http = httpx.Client(
            base_url=f"{account.url}/api/v1/",
            headers={"Authorization": f"Bearer {account.key}", "User-Agent": "atelier-cli"},
            timeout=httpx.Timeout(60, connect=10),
        )
        self.tell, self.sleep = tell, sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.http.close()

    def get(self, path: str, **query: Any) -> Any:
        """What a read says; without the parameters that are None. Problem, or Told when nobody answers."""
        params = {name: value for name, value in query.items() if value is not None}
        return self.ask("GET", path, self.read, params=params)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """What a change answers. It is made once, however often it has to be sent."""
        return self.ask("POST", path, self.read, json=body, headers={"Idempotency-Key": str(uuid4())})

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """What a change answers that may be sent twice and is the same."""
        return self.ask("PUT", path, self.read, json=body)

    def send(self, path: str, content: bytes, **query: Any) -> Any:
        """What the studio says of a file. It is taken once, however often it has to be sent."""
        headers = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/octet-stream"}
        return self.ask("POST", path, self.read, content=content, params=query, headers=headers)

    def delete(self, path: str) -> None:
        """Removes something; what is gone already is gone."""

        def gone(answer: httpx.Response) -> bool:
            if answer.status_code not in (204, 404):
                self.read(answer)
            return True

        self.ask("DELETE", path, gone)

    def follow(self, job: str, hear: Callable[[Event], None]) -> Event:
        """Tells `hear` each event of a job in order, and returns the one of its end. The line may break meanwhile."""
        last = (-1, -1)
        timeout = httpx.Timeout(60, connect=10, read=QUIET)

        def listen(answer: httpx.Response) -> Event | None:
            nonlocal last
            if answer.status_code != 200:
                self.read(answer)
            for line in answer.iter_lines():
                if not line.startswith("data: "):
                    continue
                event = json.loads(line.removeprefix("data: "))
                place = (event["attempt"], event["seq"])
                if place < last:
                    continue
                last = place
                hear(event)
                if event["type"] in ENDS:
                    return event
            return None

        while True:
            before = last
            if ended := self.ask("GET", f"jobs/{job}/events", listen, timeout=timeout):
                return ended
            if last == before:
                self.sleep(PAUSES[0])

    def ask(
        self,
        method: str,
        path: str,
        use: Callable[[httpx.Response], Found],
        anew: Callable[[], dict[str, str]] = dict,
        **more: Any,
    ) -> Found:
        """What `use` makes of the answer, which it may read piece by piece; again where that breaks off.

        `anew` says further headers of each try.
        """
        pauses, fixed = iter(PAUSES), more.pop("headers", {})
        while True:
            answer: httpx.Response | None = None
            try:
                with self.http.stream(method, path, headers={**fixed, **anew()}, **more) as answer:
                    if answer.status_code not in AGAIN:
                        return use(answer)
                    answer.read()
                    problem = self._problem(answer)
            except httpx.TransportError as error:
                problem = Told(f"No studio answers at {self.url} ({error or type(error).__name__}).", UNREACHABLE)
            self._wait(problem, answer, next(pauses, None))

    def _wait(self, problem: Told, answer: httpx.Response | None, pause: float | None) -> None:
        asked = answer.headers.get("Retry-After", "") if answer is not None else ""
        if pause is None or (asked.isdecimal() and int(asked) > LONGEST):
            raise problem
        pause = max(pause, int(asked)) if asked.isdecimal() else pause
        self.tell(f"{problem} Trying again in {pause:g} s.")
        self.sleep(pause)

    def read(self, answer: httpx.Response) -> Any:
        """The JSON of an answer. Problem where the studio said no, Told where no studio speaks so."""
        answer.read()
        if answer.status_code >= 400:
            raise self._problem(answer)
        if answer.is_redirect:
            raise Told(f"The studio has moved to {answer.headers.get('Location', '?')}. Log in there: atelier login")
        try:
            return answer.json()
        except ValueError as error:
            raise Told(f"What answers at {self.url} is no Atelier.", UNREACHABLE) from error

    def _problem(self, answer: httpx.Response) -> Told:
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            body = {"detail": f"{self.url} answered with {answer.status_code} {answer.reason_phrase}."}
        return Problem(answer.status_code, body)
