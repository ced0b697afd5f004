"""A person at a browser, without the browser: signs in, asks for pictures, looks at pages."""

import re

import httpx


class Visitor:
    """One signed-in session. `base` is the address of the studio."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.ws = base.replace("http", "ws", 1)
        self.client = httpx.Client(base_url=base, timeout=30)

    @property
    def headers(self) -> dict[str, str]:
        """What a websocket's handshake needs: the session, and where the page came from."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())
        return {"Cookie": cookies, "Origin": self.base}

    def get(self, path: str) -> httpx.Response:
        """A page."""
        return self.client.get(path)

    def post(self, path: str, data: dict[str, str], **headers: str) -> httpx.Response:
        """A form, with the token that the pages gave."""
        token = {"X-CSRFToken": self.client.cookies.get("csrftoken", ""), "Referer": self.base}
        return self.client.post(path, data=data, headers={**token, **headers})

    def sign_in_first_time(self, email: str, password: str) -> None:
        """Signs in with the printed one-time password and chooses another."""
        self.get("/account/login/")
        answer = self.post("/account/login/", {"login": email, "password": password})
        assert answer.status_code == 302, answer.text
        new = "correct horse battery staple"
        self.get("/account/password/change/")
        answer = self.post("/account/password/change/", {"oldpassword": password, "password1": new, "password2": new})
        assert answer.status_code == 302, answer.text
        assert self.get("/").status_code == 200

    def generate(self, settings: dict[str, str]) -> str:
        """Asks for pictures as the page's script does. The job's id."""
        answer = self.post("/create/", settings, **{"HX-Request": "true"})
        assert answer.status_code == 200, answer.text
        found = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.text)
        assert found, answer.text
        return found[0]

    def media_address(self) -> str:
        """The address of some picture in the gallery."""
        found = re.search(r"/media/[^\"?\s]+", self.get("/gallery/").text)
        assert found
        return found[0]
