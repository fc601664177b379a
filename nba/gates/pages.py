"""Data docs on demand: the suites of the last build, run again on its profiles and written as pages by Great Expectations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nba.gates.expecting import LEVELS
from nba.gates.running import context

if TYPE_CHECKING:
    from nba.gates.limits import Limits
    from nba.gates.running import Suite

SITE = "gates"


def write_pages(suites: Sequence[Suite], limits: Limits, folder: Path) -> Path:
    """Pages of these suites and of what they found, in `folder`; returns the index. Expectations without a fact are left out."""
    import great_expectations as gx

    made = context()
    backend = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.resolve())}
    index = {"class_name": "DefaultSiteIndexBuilder", "show_cta_footer": False}
    made.add_data_docs_site(SITE, {"class_name": "SiteBuilder", "store_backend": backend, "site_index_builder": index})
    source = made.data_sources.add_pandas("facts")
    for suite in suites:
        asked = [
            one.expectation(level)
            for one in suite.expected
            for level in LEVELS
            if level in one.levels and one.level_said(level, limits) != "off" and suite.facts[one.measure].notna().any()
        ]
        if not asked:
            continue
        held = made.suites.add(gx.ExpectationSuite(name=suite.table, expectations=asked))
        batch = source.add_dataframe_asset(suite.table).add_batch_definition_whole_dataframe("last_build")
        definition = made.validation_definitions.add(gx.ValidationDefinition(name=suite.table, data=batch, suite=held))
        definition.run(batch_parameters={"dataframe": suite.facts})
    made.build_data_docs(site_names=[SITE])
    return folder / "index.html"
