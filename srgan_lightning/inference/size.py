"""The size that an enlarged picture is to have."""

from dataclasses import dataclass

from srgan_lightning.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for; at most one of these.

    Attributes:
        scale: the factor between the sides of the picture and the enlarged one.
        width: in pixels; the height follows.
        height: in pixels; the width follows.
        fit: (width, height) of a box that the picture is to fill as far as its shape lets it.

    Raises:
        UserError: for more than one, or a number that is not above 0.
    """

    scale: float | None = None
    width: int | None = None
    height: int | None = None
    fit: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        given = {key: value for key, value in vars(self).items() if value is not None}
        if len(given) > 1:
            names = " and ".join(f"--{name}" for name in given)
            raise UserError(f"{names}: say the same thing twice; give one of them")
        for name, value in given.items():
            if min(value if isinstance(value, tuple) else (value,)) <= 0:
                raise UserError(f"--{name}: must be above 0")

    def of(self, height: int, width: int, *, most: int) -> tuple[int, int]:
        """Return (height, width) of the enlarged picture.

        Args:
            height: of the picture.
            width: of the picture.
            most: the factor that the model enlarges by.

        Raises:
            UserError: for more than that.

        Example:
            >>> Wanted(width=300).of(50, 100, most=4), Wanted().of(50, 100, most=4)
            ((150, 300), (200, 400))
            >>> Wanted(fit=(300, 300)).of(50, 100, most=4)
            (150, 300)
        """
        factor = self._factor(height, width)
        if factor is None:
            return height * most, width * most
        size = max(round(height * factor), 1), max(round(width * factor), 1)
        if size[0] > height * most or size[1] > width * most:
            raise UserError(
                f"{size[1]}x{size[0]} is more than {most} times {width}x{height}, which is what "
                "the model makes; ask for less, or enlarge the result once more"
            )
        return size

    def _factor(self, height: int, width: int) -> float | None:
        if self.width is not None:
            return self.width / width
        if self.height is not None:
            return self.height / height
        if self.fit is not None:
            return min(self.fit[0] / width, self.fit[1] / height)
        return self.scale
