"""What ships: patches, task suites, paired runs, the noise floor, the certificate and the verdict.

Read `gate.py` first (the six steps as a pure function), then `floor.py` (what luck alone would give),
`trials.py` (every trial pays), `certificate.py` (the gate's own false-ship rate) and `ablate.py` (the order of
events). `arms.py` runs the two arms; `record.py` is what a stranger needs to recompute a verdict.
"""
