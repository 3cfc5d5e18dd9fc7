"""A hand at mouse and keys, and the time that a person's would take."""

import time

import numpy as np
from playwright.sync_api import FloatRect, Page

from icefloe.typing import FloatArray
from studies.kit.keystrokes import DRAW_PX_PER_S, KEY_S, POINT_S, THINK_S

TREMOR_PX = 0.3
"""Standard deviation of a hand from its line, image pixels."""


class Hand:
    """A hand that works on an image on a page.

    Parameters
    ----------
    page
        Where the image is.
    seed
        Of the hand's tremor.
    picture
        Where on the screen the image is, all of it.
    width
        Of the image in px.

    Attributes
    ----------
    zoom
        Screen pixels an image pixel is across.
    actions
        Strokes and keys so far.
    person_s
        Time that a person would have taken so far, by the keystroke-level model.
    """

    def __init__(self, page: Page, seed: int, picture: FloatRect, width: int) -> None:
        self.page = page
        self.zoom = picture["width"] / width
        self.actions = 0
        self.person_s = 0.0
        self._corner = np.array([picture["y"], picture["x"]])
        self._tremor = np.random.default_rng(seed)
        self._began = time.monotonic()

    @property
    def script_s(self) -> float:
        """Time that has really passed."""
        return time.monotonic() - self._began

    def press(self, keys: str, times: int = 1) -> None:
        """Make up one's mind, and press a key, or several at once, so many times."""
        for _ in range(times):
            self.page.keyboard.press(keys)
        self.actions += times
        self.person_s += THINK_S + times * KEY_S * len(keys.split("+"))

    def draw(self, line: FloatArray, held: str | None = None) -> None:
        """Make up one's mind, point at the beginning of a line, and draw it.

        Parameters
        ----------
        line : float, shape (N, 2)
            Rows and columns in the image, pixels' middles at .5; one point: only to press the button there.
        held
            A key to hold meanwhile.
        """
        places = self._corner + (line + self._tremor.normal(0, TREMOR_PX, line.shape)) * self.zoom
        mouse = self.page.mouse
        if held:
            self.page.keyboard.down(held)
            self.person_s += KEY_S
        mouse.move(*places[0][::-1])
        mouse.down()
        for row, column in places[1:]:
            mouse.move(column, row)
        mouse.up()
        if held:
            self.page.keyboard.up(held)
        self.actions += 1
        length = float(np.hypot(*np.diff(places, axis=0).T).sum())
        self.person_s += THINK_S + POINT_S + length / DRAW_PX_PER_S
