"""The text of a PDF on stdin, as JSON on stdout. Run as a process of its own: a hostile file can exhaust its memory and
time, and nobody else's. Imports nothing of ours."""

import io
import json
import resource
import sys

MAX_PAGES = 60
MAX_CHARACTERS = 100_000
MEMORY_BYTES = 1 << 30
CPU_SECONDS = 10


def main() -> int:
    """0: JSON with title, authors and text is on stdout. 3: encrypted. 4: no PDF that can be read."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    content = sys.stdin.buffer.read()
    from pypdf import PdfReader

    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted:
            return 3
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # after the imports, which may write caches
        parts, length = [], 0
        for page in reader.pages[:MAX_PAGES]:
            parts.append(page.extract_text())
            length += len(parts[-1])
            if length > MAX_CHARACTERS:
                break
        about = reader.metadata
        title, author = (str(about.title or ""), str(about.author or "")) if about else ("", "")
    except Exception as error:  # noqa: BLE001 - whatever a hostile file provokes, the answer is the same
        sys.stderr.write(f"{type(error).__name__}\n")
        return 4
    text = " ".join(parts)[:MAX_CHARACTERS]
    sys.stdout.write(json.dumps({"title": title[:1_000], "author": author[:1_000], "text": text}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
