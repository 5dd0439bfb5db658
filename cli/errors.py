"""Errors that the commands raise, and what every known error of the parts means for the exit code.

The table goes by class name, so that looking an error up imports nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What a shell script learns."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3


class CommandError(Exception):
    """A command cannot do what was asked: what, and the remedy."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class RequestError(CommandError):
    """The request itself is wrong."""

    exit_code = ExitCode.USAGE


class RefusedError(CommandError):
    """A gate said no."""

    exit_code = ExitCode.REFUSED


@dataclass(frozen=True)
class Meaning:
    """Exit code and the remedy to show where the error carries none."""

    exit_code: ExitCode
    remedy: str = ""


OURS = ("modules", "traces", "skills", "harness", "ablations", "supervisor", "cli")
"""Packages whose own exception classes carry messages meant for a reader."""

KNOWN: dict[str, Meaning] = {
    "AlgorithmError": Meaning(ExitCode.USAGE, "docs/algorithms.md says what each needs"),
    "SheetError": Meaning(ExitCode.USAGE),
    "SignalError": Meaning(ExitCode.USAGE, "see the operators with `cws signal ops`"),
    "ContractError": Meaning(ExitCode.FAILED, "see the rows named; `cws data list` shows what each set refused"),
    "PanelError": Meaning(ExitCode.FAILED, "mend the data set and add it again with `cws data add`"),
    "DataError": Meaning(ExitCode.FAILED, "`cws data list` shows the registered sets"),
    "ExecutorChoiceError": Meaning(ExitCode.USAGE),
    "ExecutorError": Meaning(ExitCode.FAILED, "run it here: leave CWS_EXECUTOR unset"),
    "LimitsError": Meaning(ExitCode.REFUSED),
    "ConfigError": Meaning(ExitCode.USAGE, "see docs/riskd.md"),
    "StartError": Meaning(ExitCode.REFUSED),
    "ResetError": Meaning(ExitCode.FAILED),
    "RiskUnavailableError": Meaning(ExitCode.FAILED),
    "RepositoryError": Meaning(ExitCode.FAILED, "see `git status`"),
    "QueryError": Meaning(ExitCode.USAGE, '`cws trace query "SELECT DISTINCT kind FROM events"` shows what there is'),
    "TaskError": Meaning(ExitCode.USAGE, "compare the pipeline file and the options with `cws run --help`"),
    "LockboxError": Meaning(ExitCode.REFUSED, "end the period where the lockbox begins"),
    "GridError": Meaning(ExitCode.USAGE, "see `cws sweep --help`"),
    "ResearchError": Meaning(ExitCode.USAGE, "see `cws research --help`"),
    "TemplateError": Meaning(ExitCode.USAGE, "see `cws module new --help`"),
    "MaterialError": Meaning(ExitCode.USAGE, "see `cws module test --help`"),
    "NoSandboxError": Meaning(ExitCode.REFUSED, "`cws doctor` shows what each sandbox lacks"),
    "SandboxError": Meaning(ExitCode.FAILED, "`cws doctor` tries each sandbox"),
    "SpecificationError": Meaning(ExitCode.USAGE, "`cws research TEXT --spec-only` writes one to edit"),
    "SearchError": Meaning(ExitCode.USAGE, "see `cws search --help`"),
    "LockboxSpentError": Meaning(ExitCode.REFUSED, "a lockbox answers each strategy once"),
    "PromotionError": Meaning(ExitCode.REFUSED, "`cws replay RUN` shows where the bits part"),
    "RunError": Meaning(ExitCode.USAGE, "`cws runs` lists the runs"),
    "ArtifactError": Meaning(ExitCode.FAILED, "run it again with --no-cache"),
    "FactorError": Meaning(ExitCode.USAGE),
    "PoolError": Meaning(ExitCode.FAILED),
    "FeatureError": Meaning(ExitCode.USAGE, "`cws feature list` shows the library"),
    "NotStoredError": Meaning(ExitCode.USAGE, "`cws feature build` stores features"),
    "FeatureStoreError": Meaning(ExitCode.FAILED, "`cws feature history` shows what was stored"),
    "ChoiceError": Meaning(ExitCode.USAGE, "see docs/models.md"),
    "ModelError": Meaning(ExitCode.FAILED, "see docs/models.md; --llm offline asks nobody"),
    "LiteratureError": Meaning(ExitCode.FAILED, "`cws lit --help` shows what can be asked"),
    "LocalModelError": Meaning(ExitCode.FAILED, "see docs/models.md"),
    "LedgerError": Meaning(ExitCode.FAILED, "run `cws ledger verify` to see the first bad record"),
    "PipelineError": Meaning(ExitCode.FAILED, "compare the pipeline file with `cws module list`"),
    "RegistryError": Meaning(ExitCode.USAGE, "`cws module list` shows the modules"),
    "SuiteError": Meaning(ExitCode.USAGE, "name a suite below ablations/suites/ with --suite"),
    "PatchError": Meaning(ExitCode.REFUSED, "`cws module list` shows the settings and their bounds"),
    "ReviewError": Meaning(ExitCode.REFUSED, "`cws review list` shows what is open"),
    "VerifyError": Meaning(ExitCode.USAGE, "`cws review list --all` shows the requests"),
    "SkillError": Meaning(ExitCode.FAILED, "`cws skills list` shows the skills"),
    "ValidationError": Meaning(ExitCode.USAGE, "mend the field named"),
}

USAGE_REASONS = frozenset({"NO_REQUEST", "NO_NAME", "NO_REASON"})
"""Refusals of a review that lie in the command line, not in the request."""


def meaning(error: BaseException) -> Meaning | None:
    """What a known error means; None where the error is nobody's (a bug)."""
    if isinstance(error, CommandError):
        return Meaning(error.exit_code, error.remedy)
    if str(getattr(error, "reason", "")) in USAGE_REASONS:
        return Meaning(ExitCode.USAGE)
    for kind in type(error).__mro__:
        # A library's error of the same name means something else; pydantic's is the one that is meant.
        if kind.__name__ in KNOWN and (_is_ours(kind) or kind.__name__ == "ValidationError"):
            return KNOWN[kind.__name__]
    if _is_ours(type(error)):
        return Meaning(ExitCode.FAILED)
    if isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError):
        return Meaning(ExitCode.USAGE, "check the path")
    if isinstance(error, PermissionError):
        return Meaning(ExitCode.FAILED, "check who owns the path, or set CWS_HOME to a folder you may write")
    return None


def _is_ours(kind: type) -> bool:
    return kind.__module__.split(".")[0] in OURS
