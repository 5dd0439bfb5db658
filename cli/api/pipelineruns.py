"""Runs of the pipeline that are asked for over the API."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator

from cli.api.faults import ApiError, absent, fault
from cli.api.jobs import Job, Jobs, TooManyJobsError
from cli.api.wiring import DEFAULT_PAGE, Page, needs

router = APIRouter()
MAX_SIGNAL = 4_000


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunAsked(_Model):
    """A pipeline run. What is null is as `pipeline.yaml` says."""

    signal: str | None = Field(default=None, min_length=1, max_length=MAX_SIGNAL, description="an expression")
    data: str | None = Field(default=None, pattern=r"^[a-z0-9_][a-z0-9_.-]{0,63}$")
    facts: str | None = Field(default=None, pattern=r"^[a-z0-9_][a-z0-9_.-]{0,63}$")
    start: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    end: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    seed: int | None = Field(default=None, ge=0, le=2**31 - 1)

    @field_validator("signal")
    @classmethod
    def _parses(cls, value: str | None) -> str | None:
        from modules.signal import SignalError, parse

        if value is not None:
            try:
                parse(value)
            except SignalError as error:
                raise ValueError(str(error)) from error
        return value

    def argv(self) -> tuple[str, ...]:
        """What follows `cws run`; a value never stands alone, so that none is taken for an option."""
        named = {"signal": self.signal, "data": self.data, "facts": self.facts, "from": self.start, "to": self.end}
        words = [f"--{name}={value}" for name, value in named.items() if value is not None]
        return (*words, *((f"--seed={self.seed}",) if self.seed is not None else ()))


class RunJob(_Model):
    """A run that was asked for. `run_id` when it is done, `words` why it failed."""

    job_id: str
    state: Literal["waiting", "running", "done", "failed"]
    by: str
    asked_ns: int
    ended_ns: int | None
    run_id: str | None
    words: str | None


class RunJobs(_Model):
    """The newest first."""

    runs: tuple[RunJob, ...]


@router.post("/v1/pipeline-runs", status_code=202, dependencies=[Depends(needs("run"))])
def ask_run(request: Request, asked: RunAsked) -> RunJob:
    """Ask for a run of the pipeline; it is made after those that were asked before. Poll its `job_id`."""
    jobs: Jobs = request.app.state.jobs
    try:
        return _job(jobs.ask(asked.argv(), request.state.token.name))
    except TooManyJobsError as error:
        raise ApiError(
            429,
            str(error),
            fault("pipeline-runs", None, str(error), "wait until one is done"),
            headers={"Retry-After": "30"},
        ) from error


@router.get("/v1/pipeline-runs", dependencies=[Depends(needs("run"))])
def list_runs(request: Request, page: Page = DEFAULT_PAGE) -> RunJobs:
    """The runs that were asked for since the server began."""
    jobs: Jobs = request.app.state.jobs
    return RunJobs(runs=tuple(_job(j) for j in jobs.every()[:page]))


@router.get("/v1/pipeline-runs/{job_id}", dependencies=[Depends(needs("run"))])
def read_run(request: Request, job_id: Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]) -> RunJob:
    """Where one stands."""
    jobs: Jobs = request.app.state.jobs
    found = jobs.find(job_id)
    if found is None:
        raise absent(
            "pipeline run", "job_id", job_id, "GET /v1/pipeline-runs lists them; the server forgets when it ends"
        )
    return _job(found)


def _job(job: Job) -> RunJob:
    return RunJob(
        job_id=job.job_id,
        state=job.state,
        by=job.by,
        asked_ns=job.asked_ns,
        ended_ns=job.ended_ns,
        run_id=job.run_id,
        words=job.words,
    )
