"""The site made of docs/: what mkdocs.yml can't say by itself."""
