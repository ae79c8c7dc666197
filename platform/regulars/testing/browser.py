"""Real Chromium: people with devices of their own, for whom every fault of a page is a fault of the test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, async_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""What it may be called."""
SHELL = "chromium-headless-shell"
"""Its engine without the windows that nobody sees: pages take a third less of the processor. It has no camera."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
Theme = Literal["light", "dark"]
SERVER_FAULT = 500
CLIENT_FAULT = 400
LEFT_BEHIND = "net::ERR_ABORTED"
"""A request that the browser gave up because its page was left."""
PATIENCE = 10_000
"""Milliseconds that somebody waits for something to appear."""
AXE_OPTIONS = "{resultTypes: ['violations'], elementRef: false, preload: {assets: ['media']}}"
"""Only a rule that is no standard yet, and not on, would have all style sheets fetched and parsed once more."""
MISSING = "Failed to load resource"
"""What the console says of an answer, which is judged as an answer."""


@dataclass(frozen=True)
class Device:
    """What somebody holds in the hands.

    Attributes:
        width, height: of the window, CSS pixels.
        touch: whether there are fingers instead of a mouse.
    """

    width: int
    height: int
    touch: bool = False


PHONE = Device(390, 844, touch=True)
TABLET = Device(1024, 768, touch=True)
DESKTOP = Device(1440, 900)


@dataclass
class People:
    """Those who visit in one test.

    Attributes:
        faults: what went wrong on their pages: script errors, console errors (the content security policy reports
            there), answers from 500 on, and parts of pages that are missing.
    """

    browser: Browser
    faults: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    async def someone(
        self, device: Device = DESKTOP, *, scripts: bool = True, scheme: Theme = "light", like: Page | None = None
    ) -> Page:
        """Somebody with a device and cookies of their own.

        Args:
            device: what it is.
            scripts: whether JavaScript runs.
            scheme: what the device prefers.
            like: somebody who has signed in already, on another device; `None` for a stranger.
        """
        context = await self.browser.new_context(
            viewport={"width": device.width, "height": device.height},
            has_touch=device.touch,
            is_mobile=device is PHONE,
            java_script_enabled=scripts,
            color_scheme=scheme,
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="Europe/Luxembourg",
            accept_downloads=True,
            storage_state=await like.context.storage_state() if like is not None else None,
        )
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        self._watch(context)
        return await context.new_page()

    async def leave(self) -> None:
        """All go."""
        for context in self.contexts:
            await context.close()

    def _watch(self, context: BrowserContext) -> None:
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        context.on("console", self._on_console)
        context.on("response", self._on_response)
        context.on("requestfailed", self._on_failure)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(MISSING):
            address = message.page.url if message.page else ""
            self.faults.append(f"console: {message.text} ({address})")

    def _on_response(self, response: Response) -> None:
        is_part = not response.request.is_navigation_request()
        if response.status >= SERVER_FAULT or (is_part and response.status >= CLIENT_FAULT):
            self.faults.append(f"{response.status}: {response.request.method} {response.url}")

    def _on_failure(self, request: Request) -> None:
        if request.failure != LEFT_BEHIND:
            self.faults.append(f"{request.failure}: {request.method} {request.url}")


@asynccontextmanager
async def chromium(*flags: str, whole: bool = False) -> AsyncIterator[Browser]:
    """Run Chromium, the lighter one of those that are here.

    Args:
        flags: further ones.
        whole: it must be all of Chromium.

    Raises:
        FileNotFoundError: there is none on the PATH.
    """
    names = CHROMIUM if whole else (SHELL, *CHROMIUM)
    executable = next((path for name in names if (path := shutil.which(name))), None)
    if executable is None:
        message = "Chromium is not on the PATH; these tests drive it (`make chromium` installs it)."
        raise FileNotFoundError(message)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=[*FLAGS, *flags])
        yield browser
        await browser.close()


async def wear(page: Page, *themes: Theme) -> dict[Theme, int]:
    """Show a page in one theme after the other, as its switch does; colours that change slowly are there at once.

    Args:
        page: as it is shown now.
        themes: the last one stays on.

    Returns:
        For each, how many pixels the page is wider than the window: none of it may be out of sight.
    """
    wider: dict[Theme, int] = await page.evaluate(
        """async (themes) => {
            const root = document.documentElement;
            for (let frames = 2; frames > 0; frames -= 1)  // charts follow the window a frame later
                await new Promise(requestAnimationFrame);
            return Object.fromEntries(themes.map((theme) => {
                if (root.dataset.theme !== theme) {
                    root.dataset.theme = theme;
                    document.dispatchEvent(new CustomEvent('themechange'));
                }
                for (let left = 10; left > 0 && document.getAnimations().length > 0; left -= 1)
                    document.getAnimations().forEach((animation) => animation.finish());
                return [theme, root.scrollWidth - root.clientWidth];
            }));
        }""",
        themes,
    )
    return wider


async def barriers(page: Page, axe: str) -> list[str]:
    """What keeps people out of a page, by the rules of axe-core.

    Args:
        page: as it is shown now.
        axe: source of axe-core; it runs outside of the page's content security policy.

    Returns:
        One line per rule and element.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(axe)
    found: dict[str, Any] = await page.evaluate(f"axe.run({AXE_OPTIONS})")
    return [
        f"{violation['id']}: {' '.join(map(str, node['target']))}: {' '.join(node['failureSummary'].split())}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


async def shifts(page: Page) -> list[str]:
    """What has moved while a page was loading and nobody touched it, with how much (layout shift, by the browser).

    Args:
        page: as it is shown now.

    Returns:
        One line per element; empty when all stood where it stands.
    """
    found: list[str] = await page.evaluate(
        """() => new Promise((resolve) => {
            const found = [];
            const named = (node) => `${node.nodeName.toLowerCase()} ${node.className ?? ''}`.trim();
            const name = ({node}) => node ? named(node) : 'something';
            new PerformanceObserver((list) => {
                for (const shift of list.getEntries())
                    if (!shift.hadRecentInput)
                        found.push(`${shift.value.toFixed(4)}: ${shift.sources.map(name).join(', ')}`);
            }).observe({type: 'layout-shift', buffered: true});
            requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(found))));
        })"""
    )
    return found


async def has_visible_focus(page: Page) -> bool:
    """Whether what has the keyboard's focus is in sight and marked."""
    visible: bool = await page.evaluate(
        """() => {
            document.getAnimations().forEach((animation) => animation.finish());
            const element = document.activeElement;
            if (!element || element === document.body || !element.matches(':focus-visible')) return false;
            const box = element.getBoundingClientRect();
            const inSight = box.width > 1 && box.height > 1 && box.bottom > 0 && box.top < innerHeight;
            const marks = [element, ...element.querySelectorAll('*'), element.parentElement].map((part) => {
                const style = getComputedStyle(part);
                return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0)
                    || style.boxShadow !== 'none';
            });
            return inSight && marks.includes(true);
        }"""
    )
    return visible
