"""What a check finds, and the list that it is collected in."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

MISSING, TRANSLATED, NOTE = "missing", "translated", "note"


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to tell.

    Attributes:
        kind: `'missing'` (kjax does not have it), `'translated'` (an older spelling, which works) or `'note'`.
        name: the name or the argument, as the script has it.
        message: what is the matter, and what to do.
    """

    line: int
    column: int
    kind: str
    name: str
    message: str


@dataclass
class Report:
    """All that was found in one file.

    Attributes:
        problem: why the file could not be read, or None.
    """

    path: str
    findings: list[Finding] = field(default_factory=list)
    problem: Finding | None = None

    def of(self, kind: str) -> list[Finding]:
        """The findings of a kind by line, each once."""
        return sorted({finding for finding in self.findings if finding.kind == kind})

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints of this file."""
        told: dict[str, Any] = {"path": self.path, "problem": asdict(self.problem) if self.problem else None}
        for kind, key in ((MISSING, "missing"), (TRANSLATED, "translated"), (NOTE, "notes")):
            told[key] = [
                {key: value for key, value in asdict(finding).items() if key != "kind"} for finding in self.of(kind)
            ]
        return told
