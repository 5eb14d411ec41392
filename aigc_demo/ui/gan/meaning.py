"""What the losses of the GAN mean: by chance, at best, now."""

from collections.abc import Mapping

from aigc_demo.ui.kit.words import LANGUAGES, Words


def signed(value: float, digits: int) -> str:
    """With a minus sign as wide as a plus."""
    return f"{value:.{digits}f}".replace("-", "−")


def hinge_meaning(words: Words, losses: Mapping[str, str]) -> dict[str, str]:
    """What hinge losses mean. losses: as written, of "d", of "g", or of both."""
    told = [words.both(f"meaning.hinge_{player}", loss=loss) for player, loss in losses.items()]
    return {language: " ".join(text[language] for text in told) for language in LANGUAGES}
