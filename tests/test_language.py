"""Words that texts of this project must not use, since readers search for, and know, other ones."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: Words and what to write instead; regular expressions, in any case.
WORDS = {
    r"told\b[^.;:|]{0,40}?\bapart": "statistically significantly different",
    r"wants? (?:a|an|the|no)\b": "needs",
    r"(?<!there )(?:is|are|was|were) (?-i:none)\b(?! of)": "is not a ..., there is no ...",
    r"(?:give|gives|given|gave) leave": "permit; fix the permissions",
    r"be it\b": "whether",
    r"sweeps?\b": "validation passes",
    r"contestants?\b": "group",
    r"detours?\b": "skipped cells",
    r"standing\b": "status",
    r"lifelines?\b": "parent watch",
    r"countdowns?\b": "progress",
    r"sealed\b|seals?\b": "checksummed, checksum",
    r"lone\b": "single",
    r"but for\b": "except",
    r"what is said of": "the settings of",
    r"that which": "a noun",
    r"trodden\b|foretells?\b|hitherto\b|thereof\b|wherein\b": "plain English",
    r"mend(?:s|ed|ing)?\b": "fix",
}
#: British spellings; regular expressions of whole words.
BRITISH = (
    r"\w*(?:optimi|normali|regulari|minimi|maximi|recogni|initiali|summari|generali|speciali|organi|seriali|characteri)s"
    r"(?:e|ed|es|er|ers|ing|ation|ations)",
    r"\w*(?:colour|neighbour|behaviour|favour|honour|labour)\w*",
    r"licences?|centres?|grey|artefacts?|catalogues?|modelling|modelled|labelled|cancelled|travelled|judgement|whilst",
)
_WRONG = re.compile("|".join([*(rf"\b(?:{word})" for word in WORDS), rf"\b(?:{'|'.join(BRITISH)})\b"]), re.IGNORECASE)

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
#: Texts that are not finished yet, and how many such words are left in each at most; to be none.
UNFINISHED = {
    "report": 34,
}
#: Documents whose words are others': what was true when it was written.
NOT_OURS = {"CHANGELOG.md"}


def uses(text: str) -> list[str]:
    """Returns the words in ``text`` that are not to be used."""
    return [found[0] for found in _WRONG.finditer(re.sub(r"`[^`]*`", "", re.sub(r"\s+", " ", text)))]


def strings(module: Path) -> Iterator[str]:
    """Yields what a module says: its docstrings, messages and help."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_documents_use_plain_words(file: Path) -> None:
    name = file.relative_to(ROOT).as_posix()
    found = [] if name in NOT_OURS else uses(re.sub(r"^```.*?^```", "", file.read_text("utf-8"), flags=re.M | re.S))
    assert len(found) <= UNFINISHED.get(name, 0), found


@pytest.mark.parametrize("room", sorted({path.parent.name for path in (ROOT / "metaopt").glob("*/__init__.py")}))
def test_rooms_use_plain_words(room: str) -> None:
    found = [word for path in (ROOT / "metaopt" / room).rglob("*.py") for text in strings(path) for word in uses(text)]
    assert len(found) <= UNFINISHED.get(room, 0), Counter(found)


def test_words_in_the_wrong_places_are_found() -> None:
    text = "They are not told apart. It wants a\nlater version; that is none. If there is none, optimised colours."
    assert uses(text) == ["told apart", "wants a", "is none", "optimised", "colours"]
    assert uses("No group is statistically significantly different; `colour` and outstanding optimizers stay.") == []
