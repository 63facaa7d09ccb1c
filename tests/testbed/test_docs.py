import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "testbed.md"


def test_the_example_of_the_page_runs() -> None:
    """The Python example in docs/testbed.md runs as it stands."""
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    exec(compile(example, str(PAGE), "exec"), {})  # noqa: S102 - our own page
