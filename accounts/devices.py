"""What people call the thing that they are signed in with, from what its browser says of itself."""

import re

# The first that is found counts: most browsers also claim to be others.
BROWSERS = (
    ("HeadlessChrome", "Chrome"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
)
BROWSERS += (("Chromium", "Chromium"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "macOS"))
SYSTEMS += (("CrOS", "ChromeOS"), ("Linux", "Linux"))
POCKETS = ("iPhone", "Android")


def browser(user_agent: str) -> str:
    """“Firefox 140”, or the first word of what a program says of itself."""
    for mark, name in BROWSERS:
        if found := re.search(rf"\b{mark}[A-Za-z]*/(\d+)", user_agent):
            version = re.search(r"Version/(\d+)", user_agent) if name == "Safari" else found
            return f"{name} {version[1]}" if version else name
    return user_agent.split("/")[0].strip()[:40]


def system(user_agent: str) -> str:
    """“Windows”, “iPhone”; empty when it does not say."""
    return next((name for mark, name in SYSTEMS if mark in user_agent), "")


def icon(user_agent: str) -> str:
    """The icon that looks like it."""
    where = system(user_agent)
    return "smartphone" if where in POCKETS else "tablet" if where == "iPad" else "laptop" if where else "terminal"
