from pathlib import Path

import pytest

from website.outside import Places

FILES = {
    "README.md": "# Checkout\n",
    "docs/README.md": "[examples](../examples/README.md) [guide](guide.md) ![picture](picture.svg)\n",
    "docs/guide.md": "[one](../examples/01-one/README.md#end) `[no](../examples/x.md)`\n```\n[no](../LICENSE)\n```\n",
    "docs/picture.svg": "<svg/>",
    "examples/README.md": "[one](01-one/README.md) [guide](../docs/guide.md#part)\n",
    "examples/01-one/README.md": "# End\n[job](job.yaml) [far](https://kubernetes.io) [here](#end) [gone](gone.md)\n",
    "examples/01-one/job.yaml": "kind: ComputeJob\n",
    "LICENSE": "as it is\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with docs/ and examples."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def places(root: Path) -> Places:
    """Its site."""
    return Places(root, root / "docs")


def test_what_is_linked_to_outside_comes_along(root: Path, places: Places) -> None:
    """Files outside docs/ are found over any number of links, and nothing that only stands in code."""
    found = places.outside([root / "docs" / "README.md", root / "docs" / "guide.md"])
    names = [path.relative_to(root).as_posix() for path in found]
    assert names == ["examples/01-one/README.md", "examples/01-one/job.yaml", "examples/README.md"]


TURNED = {
    "from docs/ outwards": (
        "docs/README.md",
        "[examples](examples/README.md) [guide](guide.md) ![picture](picture.svg)\n",
    ),
    "with an anchor, code untouched": (
        "docs/guide.md",
        "[one](examples/01-one/README.md#end) `[no](../examples/x.md)`\n```\n[no](../LICENSE)\n```\n",
    ),
    "from outside into docs/": ("examples/README.md", "[one](01-one/README.md) [guide](../guide.md#part)\n"),
    "what is no file of the checkout stays": ("examples/01-one/README.md", FILES["examples/01-one/README.md"]),
}


@pytest.mark.parametrize(("name", "expected"), TURNED.values(), ids=TURNED)
def test_links_lead_to_where_files_stand_in_the_site(root: Path, places: Places, name: str, expected: str) -> None:
    """Links between docs/ and the rest are turned, all others are left as they are."""
    path = root / name
    assert places.turned(path.read_text(), path) == expected
    assert places.path(places.uri(path)) == path


def test_a_page_of_docs_wins(root: Path, places: Places) -> None:
    """Where docs/ and the checkout have a file of the same path, the site's is that of docs/."""
    assert places.path("README.md") == root / "docs" / "README.md"
