"""Static files with a hash in each name, ES module imports included, so that browsers may keep them for ever."""

from servestatic.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
    manifest_strict = False  # a name that was not collected is served unhashed, as in tests and `runserver`
