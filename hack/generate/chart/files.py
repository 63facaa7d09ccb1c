"""The generated files of the chart."""

from .crds import crd_templates
from .member import member_templates
from .pages import chart_readme, values_page
from .schema import schema_text
from .valuesfile import values_text

CHART = "charts/isthmus"


def chart_files() -> dict[str, str]:
    """The content of each by its path in the checkout."""
    crds = {f"{CHART}/templates/crds/{name}": text for name, text in crd_templates().items()}
    member = {f"{CHART}/templates/{name}": text for name, text in member_templates().items()}
    return {
        **crds,
        **member,
        f"{CHART}/values.yaml": values_text(),
        f"{CHART}/values.schema.json": schema_text(),
        f"{CHART}/README.md": chart_readme(),
        "docs/reference/values.md": values_page(),
    }
