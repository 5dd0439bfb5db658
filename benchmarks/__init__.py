"""Speed and memory: each script prints one JSON object and exits 1 where a goal is missed."""
