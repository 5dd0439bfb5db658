"""The table of commands: read by `cws --help` without importing any of them."""

from __future__ import annotations

from cli.lazy import Entry

RESEARCH = "Research"
IMPROVE = "Improve"
LOOK = "Inspect"
LIVE = "Trade"
WORKSPACE = "Workspace"

COMMANDS: tuple[Entry, ...] = (
    Entry("demo", "demo", "The whole loop once, on bundled data: hypothesis, strategy, self-improvement.", RESEARCH),
    Entry("research", "research", "Turn a hypothesis in plain words into a tested module on a branch.", RESEARCH),
    Entry("run", "run", "Run the pipeline, or one signal through it.", RESEARCH),
    Entry("sweep", "sweep", "Every combination of a grid over a signal, quickly, on discovery data.", RESEARCH),
    Entry("signal", "signal", "The signal language: eval, check, sheet, ops, explain, similar.", RESEARCH),
    Entry("search", "search", "Search settings and placeholders on discovery data; every trial counts.", RESEARCH),
    Entry("feature", "feature", "The feature library and its store: list, show, build, read, history.", RESEARCH),
    Entry("data", "data", "Data sets: add your own, list what is registered.", RESEARCH),
    Entry("supervise", "supervise", "Mine the traces, try patches by ablation, open what clears the noise.", IMPROVE),
    Entry("nightly", "nightly", "One unattended night: spend a budget where it is likely to pay.", IMPROVE),
    Entry("ablate", "ablate", "Put a change of settings of your own before the gate.", IMPROVE),
    Entry("review", "review", "The engine's pull requests: list, show, approve, reject.", IMPROVE),
    Entry("board", "board", "A page of the loop: findings, verdicts, budget, improvement, spending.", IMPROVE),
    Entry("verify", "verify", "Prove a pull request again, from a clone: no key, no network.", IMPROVE),
    Entry("rollback", "rollback", "Ask to take a merged patch back; a human merges it.", IMPROVE),
    Entry("promote", "promote", "Whether a run may go on to paper, micro, scale; opens the lockbox.", IMPROVE),
    Entry("certify", "certify", "Measure the gate's false-ship rate with worthless patches.", IMPROVE),
    Entry("runs", "runs", "Every recorded run.", LOOK),
    Entry("replay", "replay", "Run a recorded run again, without the cache, and compare the bits.", LOOK),
    Entry("diff", "diff", "What differs between two runs: task, settings, code, outputs, metrics.", LOOK),
    Entry("validate", "validate", "Is a run more than luck? Out of sample, permuted, stressed, deflated.", LOOK),
    Entry("gap", "gap", "Where the vector result and a run's account part, by cause.", LOOK),
    Entry("report", "report", "Write the report of a run: one HTML page, pictures, JSON.", LOOK),
    Entry("trace", "trace", "Query the events of everything that ever ran, in SQL; export a run to MLflow.", LOOK),
    Entry("ledger", "ledger", "Verify the ledger's hash chain and checkpoint.", LOOK),
    Entry("live", "live", "Trade a promoted run at an account's desk, on paper or for real.", LIVE),
    Entry("work", "work", "A large order by an algorithm, through an account's desk.", LIVE),
    Entry("replay-day", "replay_day", "A trading day again from its tape, bit by bit; --candidate BRANCH.", LIVE),
    Entry("drift", "drift", "Live beside the backtest of the same days; proposes a demotion.", LIVE),
    Entry("riskd", "riskd", "The risk core of an account: rules on every order, alone opens its venue.", LIVE),
    Entry("kill", "kill", "Stop an account at once, cancel, close; --reset lets it trade again.", LIVE),
    Entry("account", "account", "Live accounts: new (from a run), list.", LIVE),
    Entry("exchange", "exchange", "The simulated exchange, on the bars of a run: PAPER.", LIVE),
    Entry("risk", "risk", "What an account holds and can lose, and whether the venue agrees.", LIVE),
    Entry("top", "top", "The terminal screen: positions, P&L, orders, book, risk, alerts, feeds.", LIVE),
    Entry("watch", "watch", "Metrics, alerts and spans of what is traded, until Ctrl-C.", LIVE),
    Entry("api", "api", "The HTTP API, and the tokens that may use it.", LIVE),
    Entry("skills", "skills", "The research skills: list, show, lint, why.", WORKSPACE),
    Entry("lit", "lit", "What is published: search, show; add documents of your own.", WORKSPACE),
    Entry("model", "model", "Language models: prices and training dates; pull and serve one of your own.", WORKSPACE),
    Entry("module", "module", "The pipeline's modules and their settings.", WORKSPACE),
    Entry("doctor", "doctor", "Is this workspace fit to work? Each problem with its remedy.", WORKSPACE),
)
