"""What mkdocs calls while it builds the site."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from website.outside import Places


def _places(config: MkDocsConfig) -> Places:
    docs = Path(config.docs_dir)
    return Places(docs.parent, docs)


def on_files(files: Files, /, *, config: MkDocsConfig) -> Files:
    """Takes in the linked files that lie outside docs/."""
    places = _places(config)
    pages = [Path(file.abs_src_path) for file in files.documentation_pages() if file.abs_src_path]
    for path in places.outside(pages):
        files.append(File.generated(config, places.uri(path), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, /, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Turns links to where their targets stand in the site."""
    places = _places(config)
    return places.turned(markdown, places.path(page.file.src_uri))
