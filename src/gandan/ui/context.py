"""What every page knows without being told: language, theme, menus, whether this is the demo."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.utils.translation import get_language

THEMES = ("light", "dark")
THEME_COOKIE = "gandan-theme"
IDLE_WARNING_SECONDS = 120
_NAMES = {"vi": "Tiếng Việt", "en": "English"}


@dataclass(frozen=True, slots=True)
class Alternate:
    """The same page in a language."""

    code: str
    name: str
    url: str
    current: bool


class Page:
    """The frame around one answer: `ui` in every template."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @cached_property
    def language(self) -> str:
        return "en" if get_language() == "en" else "vi"

    @cached_property
    def theme(self) -> str:
        """ "light", "dark", or "" for what the reader's system prefers."""
        chosen = self.request.COOKIES.get(THEME_COOKIE, "")
        return chosen if chosen in THEMES else ""

    @cached_property
    def path(self) -> str:
        """The address of this page, to come back to after changing the theme."""
        return self.request.get_full_path()

    @property
    def here(self) -> str:
        """The address of this page without what was asked of it."""
        return self.request.path

    @cached_property
    def alternates(self) -> list[Alternate]:
        path = self.path
        bare = "/" + path.removeprefix("/en").lstrip("/") if _is_english(path) else path
        urls = {"vi": bare, "en": "/en" + bare}
        return [Alternate(code, _NAMES[code], url, code == self.language) for code, url in urls.items()]

    @cached_property
    def view_name(self) -> str:
        match = self.request.resolver_match
        return match.view_name if match else ""

    @cached_property
    def demo(self) -> bool:
        return bool(getattr(settings, "GANDAN_DEMO", False))

    @cached_property
    def idle_seconds(self) -> int:
        """After how long without work this session ends: sooner on a shared machine."""
        ends: int | None = getattr(self.request, "idle_seconds", None)
        return ends or int(getattr(settings, "GANDAN_IDLE_SECONDS", 30 * 60))

    warning_seconds = IDLE_WARNING_SECONDS


def _is_english(path: str) -> bool:
    return path == "/en" or path.startswith(("/en/", "/en?"))


def page(request: HttpRequest) -> dict[str, Any]:
    """Return the frame (`ui`) and what the provider named by GANDAN_NAVIGATION adds to it.

    A request that failed before anybody asked who is there (`request.actor`) gets no menus.
    """
    frame = Page(request)
    context: dict[str, Any] = {"ui": frame, "navigation": [], "side_navigation": [], "addresses": {}}
    provider = getattr(settings, "GANDAN_NAVIGATION", "")
    if provider and hasattr(request, "actor"):
        context |= import_string(provider)(request)
        groups = [context["navigation"], *(group["links"] for group in context["side_navigation"])]
        marked = _marked([link for group in groups for link in group], frame)
        context["navigation"] = [marked[id(link)] for link in context["navigation"]]
        context["side_navigation"] = [
            group | {"links": [marked[id(link)] for link in group["links"]]} for group in context["side_navigation"]
        ]
    return context


def _marked(links: list[dict[str, Any]], frame: Page) -> dict[int, dict[str, Any]]:
    """Say of each link whether it leads here: the page itself ("page"), else the nearest page above it ("true")."""
    here = frame.request.path
    above = [
        link["url"]
        for link in links
        if link["url"] and here.startswith(link["url"]) and link["url"] not in ("/", "/en/")
    ]
    nearest = max(above, key=len, default=None)
    exact = any(link["url"] == here for link in links)
    marked = {}
    for link in links:
        current = "page" if link["url"] == here else "true" if not exact and link["url"] == nearest else ""
        marked[id(link)] = link | {"current": current}
    return marked
